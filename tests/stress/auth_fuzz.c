/* auth_fuzz.c - strangers' bytes into the handshake of auth.h: nothing may crash, nobody may get in.
   ./auth_fuzz ROUNDS SEED      prints one line; exit 1 and a line on stderr if anything is wrong
   ./auth_fuzz hash < FILE      prints SHA-256 of FILE, added in pieces, to be compared with sha256sum
   In each round one talk, of one of the kinds below; most have one thing wrong with them. To be built with
   -fsanitize=address,undefined. */
#include "workbook.h"

#include "auth.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { LIMIT_MS = 600000 };

static uint64_t state;
static long round_now, done_count, refused_count, waiting_count;

#define MUST(condition) do { if (!(condition)) die("round %ld: not so: %s (line %d)", round_now, #condition, __LINE__); } while (0)

/* 0 to BELOW - 1. */
static unsigned draw(unsigned below)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (unsigned)((state >> 20) % below);
}

static void draw_bytes(unsigned char *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        bytes[i] = (unsigned char)draw(256);
}

static const char key[] = "a key of the house";

static void begin(struct auth *auth, enum auth_role role, const void *with, size_t size)
{
    check(auth_begin(auth, role, with, size, LIMIT_MS));
    MUST(auth->state == AUTH_MORE && auth_left(auth) > 0);
}

/* Whatever its state is, the pieces fit together. */
static void look(const struct auth *auth)
{
    size_t size, wants = auth_wants(auth);
    auth_output(auth, &size);
    MUST(wants <= AUTH_CHALLENGE + SHA256_SIZE && size <= AUTH_CHALLENGE + SHA256_SIZE);
    MUST(auth->at <= AUTH_TALK);
    if (auth->state == AUTH_MORE)
        MUST((wants > 0) != (size > 0) && auth_events(auth) == (wants > 0 ? POLLIN : POLLOUT));
    else
        MUST(wants == 0 && size == 0);
}

/* Bytes in a block of its own of just that size, so that a look behind its end is found. */
static enum auth_state give(struct auth *auth, const unsigned char *bytes, size_t size)
{
    unsigned char *copy = malloc(size > 0 ? size : 1);
    if (copy == NULL)
        die("no memory");
    memcpy(copy, bytes, size);
    enum auth_state before = auth->state, after = auth_input(auth, copy, size);
    free(copy);
    look(auth);
    MUST(before == AUTH_MORE || after == before);
    return after;
}

/* Nothing but random bytes: of sizes that fit, or of any. */
static void noise(enum auth_role role)
{
    struct auth auth;
    unsigned char bytes[300];
    bool fits = draw(2);
    begin(&auth, role, key, sizeof key);
    for (int i = 0; i < 8 && auth.state == AUTH_MORE; i++) {
        size_t size, wants = auth_wants(&auth);
        auth_output(&auth, &size);
        if (size > 0 && draw(4) > 0) {
            auth_sent(&auth, 1 + draw((unsigned)size));
            look(&auth);
            continue;
        }
        size = fits && wants > 0 ? 1 + draw((unsigned)wants) : draw(sizeof bytes);
        draw_bytes(bytes, size);
        bool too_many = size > wants;
        enum auth_state now = give(&auth, bytes, size);
        MUST(!too_many || now == AUTH_REFUSED);
    }
    MUST(auth.state != AUTH_DONE);
    refused_count += auth.state == AUTH_REFUSED;
    waiting_count += auth.state == AUTH_MORE;
}

/* One bit, one byte, two places exchanged, all zero, all random. Always a change. */
static void spoil(unsigned char *bytes, size_t size)
{
    unsigned char old[AUTH_TALK];
    size_t at = draw((unsigned)size), other = draw((unsigned)size);
    unsigned char byte = bytes[at];
    memcpy(old, bytes, size);
    switch (draw(5)) {
    case 0: bytes[at] ^= (unsigned char)(1u << draw(8)); break;
    case 1: bytes[at] = (unsigned char)draw(256); break;
    case 2: bytes[at] = bytes[other], bytes[other] = byte; break;
    case 3: memset(bytes, 0, size); break;
    case 4: draw_bytes(bytes, size); break;
    }
    if (memcmp(old, bytes, size) == 0)
        bytes[at] ^= 1;
}

/* FROM says what it has to say, in pieces; TO hears it, spoilt or not. KEEP: what was said, for later. */
static void carry(struct auth *from, struct auth *to, bool spoilt, unsigned char *keep)
{
    unsigned char bytes[AUTH_TALK];
    size_t size;
    const void *output = auth_output(from, &size);
    memcpy(bytes, output, size);
    for (size_t sent = 0; sent < size; ) {
        size_t piece = 1 + draw((unsigned)(size - sent));
        auth_sent(from, piece);
        look(from);
        sent += piece;
    }
    if (keep != NULL)
        memcpy(keep, bytes, size);
    if (spoilt && size > 0)
        spoil(bytes, size);
    for (size_t given = 0; given < size && to->state == AUTH_MORE; ) {
        size_t piece = 1 + draw((unsigned)(size - given));
        give(to, bytes + given, piece);
        given += piece;
    }
}

/* A whole talk; message number SPOILT (0, 1, 2) is changed on its way, or none (3). */
static void talk(unsigned spoilt)
{
    struct auth client, server;
    begin(&server, AUTH_SERVER, key, sizeof key);
    begin(&client, AUTH_CLIENT, key, sizeof key);
    carry(&server, &client, spoilt == 0, NULL);
    carry(&client, &server, spoilt == 1, NULL);
    carry(&server, &client, spoilt == 2, NULL);
    MUST((client.state == AUTH_DONE) == (spoilt == 3));
    MUST((server.state == AUTH_DONE) == (spoilt >= 2));
    done_count += client.state == AUTH_DONE;
    refused_count += client.state != AUTH_DONE;
}

/* Two keys that differ: in one bit, or in length. */
static void wrong_key(void)
{
    struct auth client, server;
    unsigned char one[100], other[100];
    size_t size = 1 + draw(99), other_size = size;
    draw_bytes(one, sizeof one);
    memcpy(other, one, sizeof one);
    if (draw(2))
        other[draw((unsigned)size)] ^= (unsigned char)(1u << draw(8));
    else
        while (other_size == size)
            other_size = 1 + draw(99);
    if (other_size > size && other[size] == 0)
        other[size] = 1;                /* a key and the same with a zero behind it are one key for HMAC (RFC 2104) */
    if (other_size < size && one[other_size] == 0)
        one[other_size] = 1;
    begin(&server, AUTH_SERVER, one, size);
    begin(&client, AUTH_CLIENT, other, other_size);
    carry(&server, &client, false, NULL);
    carry(&client, &server, false, NULL);
    MUST(server.state == AUTH_REFUSED && client.state == AUTH_MORE);
    carry(&server, &client, false, NULL);
    MUST(client.state == AUTH_MORE);    /* it hears nothing; auth_step would see the end of file */
    refused_count++;
}

/* Old messages in a new talk, and a side's own answer sent back to it. */
static void replay(void)
{
    struct auth client, server;
    unsigned char challenge[AUTH_TALK], question[AUTH_TALK], reply[AUTH_TALK];
    begin(&server, AUTH_SERVER, key, sizeof key);
    begin(&client, AUTH_CLIENT, key, sizeof key);
    carry(&server, &client, false, challenge);
    carry(&client, &server, false, question);
    carry(&server, &client, false, reply);
    MUST(client.state == AUTH_DONE && server.state == AUTH_DONE);
    begin(&server, AUTH_SERVER, key, sizeof key);
    auth_sent(&server, AUTH_CHALLENGE);
    MUST(give(&server, question, AUTH_CHALLENGE + SHA256_SIZE) == AUTH_REFUSED);
    begin(&client, AUTH_CLIENT, key, sizeof key);
    MUST(give(&client, challenge, AUTH_CHALLENGE) == AUTH_MORE);     /* an old challenge may be answered: */
    auth_sent(&client, AUTH_CHALLENGE + SHA256_SIZE);
    bool own = draw(2);
    MUST(give(&client, own ? client.talk + 2 * AUTH_CHALLENGE : reply, SHA256_SIZE) == AUTH_REFUSED);    /* this not */
    refused_count += 2;
}

/* Over a socket: garbage and an end, at any place; or a peer that says nothing. */
static void over_a_socket(void)
{
    struct auth auth;
    unsigned char bytes[200];
    int ends[2];
    check(socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
    check(auth_begin(&auth, draw(2) ? AUTH_SERVER : AUTH_CLIENT, key, sizeof key, draw(8) > 0 ? LIMIT_MS : 0));
    size_t size = draw(sizeof bytes);
    draw_bytes(bytes, size);
    check(write_full(ends[1], bytes, size));
    bool ended = draw(2);
    if (ended)
        check(shutdown(ends[1], SHUT_WR));
    enum auth_state now = AUTH_MORE;
    for (int i = 0; i < 20 && now == AUTH_MORE; i++)
        now = auth_step(&auth, ends[0]);
    MUST(now != AUTH_DONE && (!ended || now == AUTH_REFUSED));
    MUST(now == AUTH_MORE || errno == EACCES || errno == ETIMEDOUT);
    MUST(auth_step(&auth, ends[0]) == now);
    refused_count += now == AUTH_REFUSED;
    waiting_count += now == AUTH_MORE;
    check(close(ends[0]));
    check(close(ends[1]));
}

static int hash_input(void)
{
    struct sha256 sha;
    unsigned char bytes[97], hash[SHA256_SIZE];
    ssize_t count;
    sha256_begin(&sha);
    while ((count = check(read_full(STDIN_FILENO, bytes, 1 + draw(sizeof bytes)))) > 0)
        sha256_add(&sha, bytes, (size_t)count);
    sha256_end(&sha, hash);
    for (int i = 0; i < SHA256_SIZE; i++)
        printf("%02x", hash[i]);
    printf("\n");
    return 0;
}

int main(int argc, char **argv)
{
    long rounds, seed;
    state = 88172645463325252u;
    if (argc == 2 && strcmp(argv[1], "hash") == 0)
        return hash_input();
    if (argc != 3 || parse_number(argv[1], 1, 1000000000, &rounds) == -1 || parse_number(argv[2], 0, 1000000000, &seed) == -1)
        usage("auth_fuzz ROUNDS SEED | auth_fuzz hash");
    state ^= (uint64_t)seed * 0x9e3779b97f4a7c15u;
    struct auth auth;
    MUST(auth_begin(&auth, AUTH_CLIENT, "", 0, 1) == -1 && errno == EINVAL);
    MUST(auth_begin(&auth, AUTH_SERVER, NULL, 5, 1) == -1 && errno == EINVAL);
    for (round_now = 1; round_now <= rounds; round_now++)
        switch (draw(10)) {
        case 0: talk(3); break;
        case 1: replay(); break;
        case 2: wrong_key(); break;
        case 3: over_a_socket(); break;
        case 4: case 5: case 6: talk(draw(3)); break;
        default: noise(draw(2) ? AUTH_SERVER : AUTH_CLIENT); break;
        }
    say("%ld rounds, seed %ld: %ld good talks done, %ld refused, %ld still waiting", rounds, seed, done_count, refused_count, waiting_count);
}
