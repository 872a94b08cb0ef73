/* tests/tls/support_rfc8448.h - one of our ends in a handshake of RFC 8448: fed with the trace's
 * records, its own compared with the trace's byte for byte.
 *
 * Given to it: random bytes and ephemeral keys (as randomness, in the order of our draws), the
 * signatures (1024-bit RSA keys that we would not hold; ECDSA is randomized), and, through the
 * message hook, what the other stack's choices dictate: ClientHello, EncryptedExtensions,
 * CertificateRequest, Certificate, the HelloRetryRequest's cookie, NewSessionTicket. */
#ifndef TEST_SUPPORT_RFC8448_H
#define TEST_SUPPORT_RFC8448_H

#include "tls/support_tls.h"

/* A section of RFC 8448, as hex. Left out is what does not occur in it. */
struct rfc8448_trace {
    const char *client_random; /* random, session ID (compat alone), ephemeral keys */
    const char *server_random; /* random, ephemeral key */
    /* records */
    const char *client_hello;
    const char *retry;
    const char *second_hello;
    const char *server_hello;
    const char *server_flight;
    const char *client_flight;
    const char *ticket;
    const char *client_data;
    const char *server_data;
    const char *client_close;
    const char *server_close;
    /* messages */
    const char *encrypted_extensions;
    const char *request;
    const char *certificate;
    /* what CertificateVerify holds */
    const char *server_signature;
    const char *client_signature;
    const char *data; /* plaintext of both records of application data */
    bool ecdsa;       /* the server's key */
    bool compat;      /* session ID and change_cipher_spec records */
};

struct rfc8448_end {
    struct test_end end; /* first: it is what events are told to */
    const struct rfc8448_trace *trace;
    struct cl_buf out; /* sent, and not compared yet */
    struct cl_buf random;
    size_t random_used;
    uint64_t counter;          /* of randomness that the trace does not dictate */
    struct cl_buf certificate; /* client: its Certificate message of the trace */
    struct cl_buf ticket;      /* server: its NewSessionTicket of the trace */
    struct cleat_ticket_keys *keys;
};

/* A client; session (may be NULL) is offered whatever it is bound to. */
void rfc8448_client(struct rfc8448_end *r, const struct rfc8448_trace *trace,
                    struct cleat_tls_session *session);
/* A server; it issues a ticket when the trace has one, sealed in app_secret's first record. */
void rfc8448_server(struct rfc8448_end *r, const struct rfc8448_trace *trace,
                    const struct cl_secret *app_secret);
void rfc8448_drop(struct rfc8448_end *r);

/* Feeds records (NULL: none) and steps until more is needed; a failure fails the test. */
void rfc8448_feed(struct rfc8448_end *r, const char *records);
/* Everything sent since the last comparison is what `hex` says, from byte `from` on. */
void rfc8448_assert_sent(struct rfc8448_end *r, const char *what, size_t from, const char *hex);
/* The first bytes sent are hex; they are taken off. */
void rfc8448_assert_sent_first(struct rfc8448_end *r, const char *what, const char *hex);
/* The plaintext becomes this record. */
void rfc8448_assert_writes(struct rfc8448_end *r, const char *plain, const char *record);
/* The record holds this plaintext. */
void rfc8448_assert_reads(struct rfc8448_end *r, const char *record, const char *plain);
/* close_notify is this record. */
void rfc8448_assert_closes(struct rfc8448_end *r, const char *record);
/* The client's Certificate of the trace is taken from its flight, now that the keys are there. */
void rfc8448_take_client_certificate(struct rfc8448_end *r);

void rfc8448_assert_bytes(const char *what, struct cl_rd got, const char *hex);
/* 32 bytes. */
struct cl_secret rfc8448_secret(const char *hex);
/* What is in the records of TLS_AES_128_GCM_SHA256 from byte skip on, the first being number seq;
 * joined, the caller's to free. */
struct cl_buf rfc8448_open(const struct cl_secret *secret, const char *records, size_t skip,
                           uint64_t seq);

#endif
