/* sha256.h - SHA-256, a hash: 32 bytes made of any number of bytes, so that nobody can find two inputs
   with the same 32 bytes, nor go back. And HMAC, a hash that needs a secret key to be computed.
   Source: FIPS 180-4 (SHA-256), RFC 2104 (HMAC). Python: hashlib.sha256(), hmac.new(key, text, "sha256").
   For real use take a library that others have tested for years; this one is here to be read. */
#ifndef SHA256_H
#define SHA256_H

#include <stddef.h>
#include <stdint.h>

enum { SHA256_SIZE = 32, SHA256_BLOCK = 64 };

struct sha256 {                         /* leave the fields alone */
    uint32_t hash[8];
    uint64_t size;                      /* how many bytes were added so far */
    unsigned char block[SHA256_BLOCK];  /* the last size % SHA256_BLOCK of them */
};

/* Begin; add bytes, in as many pieces as you like; end gives the hash. Nothing here can fail. */
void sha256_begin(struct sha256 *self);
void sha256_add(struct sha256 *self, const void *bytes, size_t size);
void sha256_end(struct sha256 *self, unsigned char hash[SHA256_SIZE]);

/* HMAC-SHA-256 of TEXT with KEY, which may have any length. */
void hmac_sha256(const void *key, size_t key_size, const void *text, size_t text_size, unsigned char mac[SHA256_SIZE]);

#endif
