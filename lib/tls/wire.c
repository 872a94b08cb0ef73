/* tls/wire.c - names of handshake messages. */
#include "tls/wire.h"

#include <stddef.h>

static const struct {
    unsigned type;
    const char *name;
} names[] = {
    {CL_HT_HELLO_REQUEST, "HelloRequest"},
    {CL_HT_CLIENT_HELLO, "ClientHello"},
    {CL_HT_SERVER_HELLO, "ServerHello"},
    {CL_HT_NEW_SESSION_TICKET, "NewSessionTicket"},
    {CL_HT_END_OF_EARLY_DATA, "EndOfEarlyData"},
    {CL_HT_ENCRYPTED_EXTENSIONS, "EncryptedExtensions"},
    {CL_HT_CERTIFICATE, "Certificate"},
    {CL_HT_SERVER_KEY_EXCHANGE, "ServerKeyExchange"},
    {CL_HT_CERTIFICATE_REQUEST, "CertificateRequest"},
    {CL_HT_SERVER_HELLO_DONE, "ServerHelloDone"},
    {CL_HT_CERTIFICATE_VERIFY, "CertificateVerify"},
    {CL_HT_CLIENT_KEY_EXCHANGE, "ClientKeyExchange"},
    {CL_HT_FINISHED, "Finished"},
    {CL_HT_CERTIFICATE_STATUS, "CertificateStatus"},
    {CL_HT_KEY_UPDATE, "KeyUpdate"},
    {CL_HT_COMPRESSED_CERTIFICATE, "CompressedCertificate"},
    {CL_HT_MESSAGE_HASH, "message_hash"},
};

const char *cl_handshake_name(unsigned type)
{
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (names[i].type == type) {
            return names[i].name;
        }
    }
    return "unknown message";
}
