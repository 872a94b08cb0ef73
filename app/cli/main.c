/* cli/main.c - `cleat`: finds the sub-command and runs it. */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include <uv.h>

#include "cleat/batch.h"
#include "cleat/version.h"
#include "cli/cli.h"
#include "cli/options.h"
#include "crypto/aead.h"
#include "crypto/mlkem.h"
#include "crypto/version.h"

static const struct cl_command commands[] = {
    {"serve", "serve files over HTTPS", cl_cmd_serve},
    {"get", "fetch URLs over HTTPS, and tell how", cl_cmd_get},
    {"ws", "talk to WebSocket servers, from a terminal or a script", cl_cmd_ws},
    {"cert", "show and verify certificates; make them for development", cl_cmd_cert},
    {"ech", "keys and configurations for Encrypted Client Hello", cl_cmd_ech},
    {"explain-hello", "tell what a server would make of a recorded ClientHello",
     cl_cmd_explain_hello},
    {"fingerprint", "JA3 and JA4 of ClientHellos: of captures, files, interfaces",
     cl_cmd_fingerprint},
    {"profile", "tell what the named sets of TLS settings mean", cl_cmd_profile},
    {"replay", "run a recorded handshake again, and tell what is different", cl_cmd_replay},
    {"bench", "measure cryptography, handshakes, round trips, and servers", cl_cmd_bench},
};
#define NUM_COMMANDS (sizeof(commands) / sizeof(commands[0]))

static void print_help(FILE *out)
{
    fprintf(out, "Usage: cleat COMMAND [OPTION]... [ARGUMENT]...\n\n"
                 "Cleat is the secure channel of the web: a TLS server and client that explain "
                 "themselves.\n\nCommands:\n");
    for (size_t i = 0; i < NUM_COMMANDS; i++) {
        fprintf(out, "  %-14s %s\n", commands[i].name, commands[i].summary);
    }
    fprintf(out, "\n'cleat COMMAND --help' tells more about each.\n"
                 "'cleat --version' prints the versions of the program and its libraries; with -v\n"
                 "also how handshakes, ML-KEM and records are computed.\n");
}

static void print_version(bool kernels)
{
    printf("cleat %s\n%s\nlibuv %s\n", cleat_version(), cl_crypto_version(), uv_version_string());
    if (kernels) {
        printf("handshakes: %s\n", cleat_batch_describe());
        printf("ML-KEM: %s\n", cl_mlkem_describe());
        printf("records: %s\n", cl_aead_describe());
    }
}

/* wants_kernels: -v behind --version. */
static bool wants_kernels(int argc, char **argv)
{
    return argc > 2 && (strcmp(argv[2], "-v") == 0 || strcmp(argv[2], "--verbose") == 0);
}

static const struct cl_command *find_command(const char *name)
{
    for (size_t i = 0; i < NUM_COMMANDS; i++) {
        if (strcmp(commands[i].name, name) == 0) {
            return &commands[i];
        }
    }
    return NULL;
}

static int unknown_command(const char *name)
{
    const char *names[NUM_COMMANDS];
    for (size_t i = 0; i < NUM_COMMANDS; i++) {
        names[i] = commands[i].name;
    }
    const char *near = cl_nearest(name, names, NUM_COMMANDS);
    fprintf(stderr, "cleat: there is no %s '%s'", name[0] == '-' ? "option" : "command", name);
    if (near != NULL) {
        fprintf(stderr, "; did you mean '%s'?", near);
    }
    fprintf(stderr, "\nTry 'cleat --help'.\n");
    return CL_EXIT_USAGE;
}

/* Results that cannot be written are a failure, not a silent half. */
static int finish_output(int code)
{
    if (fflush(stdout) != 0 || ferror(stdout)) {
        fprintf(stderr, "cleat: writing to standard output failed\n");
        return code == CL_EXIT_OK ? CL_EXIT_FAILURE : code;
    }
    return code;
}

int main(int argc, char **argv)
{
    /* A peer that goes away is an error to handle, not a reason to die. */
    signal(SIGPIPE, SIG_IGN);
    if (argc < 2) {
        print_help(stderr);
        return CL_EXIT_USAGE;
    }
    const char *word = argv[1];
    if (strcmp(word, "help") == 0 && argc == 3 && find_command(argv[2]) != NULL) {
        char help[] = "--help";
        char *help_argv[] = {argv[2], help, NULL};
        return finish_output(find_command(argv[2])->run(2, help_argv));
    }
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0 || strcmp(word, "help") == 0) {
        print_help(stdout);
        return finish_output(CL_EXIT_OK);
    }
    if (strcmp(word, "--version") == 0 || strcmp(word, "-V") == 0) {
        print_version(wants_kernels(argc, argv));
        return finish_output(CL_EXIT_OK);
    }
    const struct cl_command *command = find_command(word);
    if (command == NULL) {
        return unknown_command(word);
    }
    return finish_output(command->run(argc - 1, argv + 1));
}
