/* Macros of OpenSSL, and what its structures hold. */
#ifndef HEARTWIRE_OPENSSL_H
#define HEARTWIRE_OPENSSL_H

#include <arpa/inet.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdint.h>
#include <string.h>

static inline long hws_ssl_ctx_set_minimum(SSL_CTX *context, int version) { return SSL_CTX_set_min_proto_version(context, version); }

/* Without AUTO_RETRY a read returns after a record that is not data. With read_ahead one system call brings many records. */
static inline void hws_ssl_ctx_set_modes(SSL_CTX *context) {
    SSL_CTX_clear_mode(context, SSL_MODE_AUTO_RETRY);
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_options(context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
    SSL_CTX_set_read_ahead(context, 1);
}

static inline long hws_ssl_ctx_add_chain_certificate(SSL_CTX *context, X509 *certificate) {
    return SSL_CTX_add1_chain_cert(context, certificate);
}

static inline long hws_ssl_set_server_name(SSL *ssl, const char *name) { return SSL_set_tlsext_host_name(ssl, name); }

/*
 * Gives back the buffers if they hold nothing. A release of OpenSSL before 3.0.14 frees them in the middle of a record too
 * (CVE-2024-4741), so it is not asked while the state is other than "RH", the reading of a record's header.
 */
static inline void hws_ssl_free_idle_buffers(SSL *ssl) {
    if (SSL_has_pending(ssl) == 0 && strcmp(SSL_rstate_string(ssl), "RH") == 0) SSL_free_buffers(ssl);
}

/* Any pointer, found again by hws_ssl_object. */
static inline void hws_ssl_set_object(SSL *ssl, void *object) { SSL_set_app_data(ssl, object); }
static inline void *hws_ssl_object(const SSL *ssl) { return SSL_get_app_data(ssl); }

/* What the last error is about, as OpenSSL numbers it; alerts from the peer are SSL_AD_REASON_OFFSET and the alert's number. */
static inline int hws_is_ssl_error(unsigned long code) { return ERR_GET_LIB(code) == ERR_LIB_SSL; }
static inline int hws_error_reason(unsigned long code) { return ERR_GET_REASON(code); }
static inline int hws_is_end_of_pem(unsigned long code) {
    return ERR_GET_LIB(code) == ERR_LIB_PEM && ERR_GET_REASON(code) == PEM_R_NO_START_LINE;
}

/* One line, pure ASCII, control characters escaped (RFC 2253). */
static inline void hws_print_name(BIO *bio, const X509_NAME *name) { X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253); }

/* The host name or address of that index that the certificate is for (its subjectAltName): its text, cut to fit; 0 past the last. */
static inline int hws_certificate_host(const X509 *certificate, int index, char *buffer, size_t capacity) {
    GENERAL_NAMES *names = (GENERAL_NAMES *)X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
    int found = 0;
    for (int i = 0; i < sk_GENERAL_NAME_num(names) && !found; i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
        if ((name->type != GEN_DNS && name->type != GEN_IPADD) || index-- > 0) continue;
        found = 1;
        const unsigned char *data = ASN1_STRING_get0_data(name->d.ia5);
        size_t size = (size_t)ASN1_STRING_length(name->d.ia5);
        if (name->type == GEN_IPADD) {
            int is_address = size == 4 || size == 16;
            if (!is_address || inet_ntop(size == 4 ? AF_INET : AF_INET6, data, buffer, (socklen_t)capacity) == NULL) buffer[0] = 0;
        } else {
            size = size < capacity ? size : capacity - 1;
            for (size_t at = 0; at < size; at++) buffer[at] = data[at] > 0x20 && data[at] < 0x7F ? (char)data[at] : '?';
            buffer[size] = 0;
        }
    }
    GENERAL_NAMES_free(names);
    return found;
}

/* Base64 of SHA-256 over a certificate's SubjectPublicKeyInfo: a pin of RFC 7469 section 2.4. out has room for 45 bytes; 0 if it fails. */
static inline int hws_certificate_pin(const X509 *certificate, unsigned char *out) {
    unsigned char *key = NULL, digest[EVP_MAX_MD_SIZE];
    unsigned int digest_size = 0;
    int size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &key);
    int ok = size > 0 && EVP_Digest(key, (size_t)size, digest, &digest_size, EVP_sha256(), NULL) == 1;
    OPENSSL_free(key);
    if (ok) EVP_EncodeBlock(out, digest, (int)digest_size);
    return ok;
}

static inline int hws_certificate_count(const STACK_OF(X509) *certificates) { return sk_X509_num(certificates); }
static inline X509 *hws_certificate_at(const STACK_OF(X509) *certificates, int index) { return sk_X509_value(certificates, index); }

static inline void hws_bio_set_retry_read(BIO *bio) { BIO_set_retry_read(bio); }
static inline void hws_bio_set_retry_write(BIO *bio) { BIO_set_retry_write(bio); }
static inline void hws_bio_clear_retry(BIO *bio) { BIO_clear_retry_flags(bio); }

/* Base64 of SHA-1 over two byte strings: the proof of RFC 6455 section 4.2.2. out has room for 29 bytes. */
static inline int hws_sha1_base64(const void *a, size_t a_size, const void *b, size_t b_size, unsigned char *out) {
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int digest_size = 0;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    int ok = context != NULL && EVP_DigestInit_ex(context, EVP_sha1(), NULL) == 1 && EVP_DigestUpdate(context, a, a_size) == 1 &&
             EVP_DigestUpdate(context, b, b_size) == 1 && EVP_DigestFinal_ex(context, digest, &digest_size) == 1;
    EVP_MD_CTX_free(context);
    if (!ok) return -1;
    EVP_EncodeBlock(out, digest, (int)digest_size);
    return 0;
}

#endif
