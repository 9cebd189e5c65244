/* sha256.c - see sha256.h. The names of the small functions, and of a to h, are those of FIPS 180-4. */
#include "workbook.h"

#include "sha256.h"

#include <string.h>

/* The first 32 bits of the fractions of the cube roots of the first 64 primes (FIPS 180-4, 4.2.2). */
static const uint32_t K[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

/* 4.1.2. All sums here are modulo 2^32: that is what uint32_t does. */
static uint32_t rotr(uint32_t x, int n) { return (x >> n) | (x << (32 - n)); }
static uint32_t Ch(uint32_t x, uint32_t y, uint32_t z) { return (x & y) ^ (~x & z); }
static uint32_t Maj(uint32_t x, uint32_t y, uint32_t z) { return (x & y) ^ (x & z) ^ (y & z); }
static uint32_t Sigma0(uint32_t x) { return rotr(x, 2) ^ rotr(x, 13) ^ rotr(x, 22); }
static uint32_t Sigma1(uint32_t x) { return rotr(x, 6) ^ rotr(x, 11) ^ rotr(x, 25); }
static uint32_t sigma0(uint32_t x) { return rotr(x, 7) ^ rotr(x, 18) ^ (x >> 3); }
static uint32_t sigma1(uint32_t x) { return rotr(x, 17) ^ rotr(x, 19) ^ (x >> 10); }

/* Words are stored with their highest byte first, on every machine. */
static uint32_t load(const unsigned char *bytes)
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

static void store(unsigned char *bytes, uint32_t word)
{
    for (int i = 0; i < 4; i++)
        bytes[i] = (unsigned char)(word >> (24 - 8 * i));
}

/* 6.2.2: works one block of 64 bytes into the hash. */
static void work_in(uint32_t hash[8], const unsigned char block[SHA256_BLOCK])
{
    uint32_t W[64];
    for (int t = 0; t < 16; t++)
        W[t] = load(block + 4 * t);
    for (int t = 16; t < 64; t++)
        W[t] = sigma1(W[t - 2]) + W[t - 7] + sigma0(W[t - 15]) + W[t - 16];

    uint32_t a = hash[0], b = hash[1], c = hash[2], d = hash[3];
    uint32_t e = hash[4], f = hash[5], g = hash[6], h = hash[7];
    for (int t = 0; t < 64; t++) {
        uint32_t T1 = h + Sigma1(e) + Ch(e, f, g) + K[t] + W[t];
        uint32_t T2 = Sigma0(a) + Maj(a, b, c);
        h = g, g = f, f = e, e = d + T1;
        d = c, c = b, b = a, a = T1 + T2;
    }
    hash[0] += a, hash[1] += b, hash[2] += c, hash[3] += d;
    hash[4] += e, hash[5] += f, hash[6] += g, hash[7] += h;
}

void sha256_begin(struct sha256 *self)
{
    /* 5.3.3: the same of the square roots of the first 8 primes */
    *self = (struct sha256){ .hash = { 0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                       0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19 } };
}

void sha256_add(struct sha256 *self, const void *bytes, size_t size)
{
    const unsigned char *next = bytes;
    while (size > 0) {
        size_t used = self->size % SHA256_BLOCK, piece = SHA256_BLOCK - used;
        if (piece > size)
            piece = size;
        memcpy(self->block + used, next, piece);
        self->size += piece;
        next += piece;
        size -= piece;
        if (used + piece == SHA256_BLOCK)
            work_in(self->hash, self->block);
    }
}

/* 5.1.1: a 1 bit, zeros, and in the last 8 bytes of a block how many bits there were. */
void sha256_end(struct sha256 *self, unsigned char hash[SHA256_SIZE])
{
    unsigned char bits[8];
    store(bits, (uint32_t)(self->size >> 29));
    store(bits + 4, (uint32_t)(self->size << 3));
    sha256_add(self, "\x80", 1);
    while (self->size % SHA256_BLOCK != SHA256_BLOCK - sizeof bits)
        sha256_add(self, "", 1);            /* one zero byte */
    sha256_add(self, bits, sizeof bits);
    for (int i = 0; i < 8; i++)
        store(hash + 4 * i, self->hash[i]);
}

/* RFC 2104, 2: hash((key ^ opad), hash((key ^ ipad), text)). Twice, because hash(key, text) alone could be
   continued: who has seen it can compute hash(key, text, more) without the key. */
void hmac_sha256(const void *key, size_t key_size, const void *text, size_t text_size, unsigned char mac[SHA256_SIZE])
{
    unsigned char block[SHA256_BLOCK] = { 0 };      /* the key, filled up with zeros */
    struct sha256 sha;
    if (key_size > SHA256_BLOCK) {                  /* too long: its hash is the key */
        sha256_begin(&sha);
        sha256_add(&sha, key, key_size);
        sha256_end(&sha, block);
    } else if (key_size > 0) {
        memcpy(block, key, key_size);
    }

    for (int i = 0; i < SHA256_BLOCK; i++)
        block[i] ^= 0x36;                           /* ipad */
    sha256_begin(&sha);
    sha256_add(&sha, block, sizeof block);
    sha256_add(&sha, text, text_size);
    sha256_end(&sha, mac);

    for (int i = 0; i < SHA256_BLOCK; i++)
        block[i] ^= 0x36 ^ 0x5c;                    /* ipad off, opad on */
    sha256_begin(&sha);
    sha256_add(&sha, block, sizeof block);
    sha256_add(&sha, mac, SHA256_SIZE);
    sha256_end(&sha, mac);
}
