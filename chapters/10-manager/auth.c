/* auth.c - see auth.h, whose head has the handshake. All that both sides say is 128 bytes:

       0          32         64           96           128
       | S        | C        | MAC('C')   | MAC('S')   |
         server     client ------------->   server         says it */
#include "workbook.h"

#include "auth.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>

enum { AT_C = AUTH_CHALLENGE, AT_MAC_C = 2 * AUTH_CHALLENGE, AT_MAC_S = AT_MAC_C + SHA256_SIZE };

static long long now_ms(void)
{
    struct timespec now;
    check(clock_gettime(CLOCK_MONOTONIC, &now));
    return (long long)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Who answers is part of the text. Else a liar could send our own answer back to us, and be right. */
static void answer(const struct auth *auth, enum auth_role role, unsigned char mac[SHA256_SIZE])
{
    unsigned char text[1 + 2 * AUTH_CHALLENGE] = { (unsigned char)role };
    memcpy(text + 1, auth->talk, 2 * AUTH_CHALLENGE);
    hmac_sha256(auth->key, auth->key_size, text, sizeof text, mac);
}

/* Did the other side answer right? Looks at all bytes, always. memcmp would stop at the first one that
   differs: who can measure how long that takes could guess an answer byte by byte. */
static bool right(const struct auth *auth, enum auth_role other, const unsigned char *bytes)
{
    unsigned char mac[SHA256_SIZE], difference = 0;
    answer(auth, other, mac);
    for (int i = 0; i < SHA256_SIZE; i++)
        difference |= (unsigned char)(bytes[i] ^ mac[i]);
    return difference == 0;
}

/* Whose turn is it to speak, and how many bytes does it still have to say? */
static enum auth_role speaker(const struct auth *auth, size_t *left)
{
    bool client = auth->at >= AT_C && auth->at < AT_MAC_S;
    *left = (client ? (size_t)AT_MAC_S : auth->at < AT_C ? (size_t)AT_C : (size_t)AUTH_TALK) - auth->at;
    return client ? AUTH_CLIENT : AUTH_SERVER;
}

/* SIZE more bytes are said. Where a message ends, there is something to compute or to look at. */
static enum auth_state go_on(struct auth *auth, size_t size)
{
    bool server = auth->role == AUTH_SERVER, good = true;
    auth->at += size;
    if (auth->at == AT_C && !server)
        answer(auth, AUTH_CLIENT, auth->talk + AT_MAC_C);
    if (auth->at == AT_MAC_S && server) {
        good = right(auth, AUTH_CLIENT, auth->talk + AT_MAC_C);
        if (good)                       /* a stranger gets no answer to its challenge */
            answer(auth, AUTH_SERVER, auth->talk + AT_MAC_S);
    }
    if (auth->at == AUTH_TALK && !server)
        good = right(auth, AUTH_SERVER, auth->talk + AT_MAC_S);
    if (!good || auth->at == AUTH_TALK)
        auth->state = good ? AUTH_DONE : AUTH_REFUSED;
    return auth->state;
}

int auth_begin(struct auth *auth, enum auth_role role, const void *key, size_t key_size, int limit_ms)
{
    if (key == NULL || key_size == 0) {
        errno = EINVAL;
        return -1;
    }
    *auth = (struct auth){ .role = role, .key = key, .key_size = key_size, .end_ms = now_ms() + limit_ms };
    ssize_t count;                      /* up to 256 bytes come whole, or not at all */
    while ((count = getrandom(auth->talk + (role == AUTH_SERVER ? 0 : AT_C), AUTH_CHALLENGE, 0)) == -1 && errno == EINTR)
        ;
    return count == AUTH_CHALLENGE ? 0 : -1;
}

size_t auth_wants(const struct auth *auth)
{
    size_t left;
    return auth->state == AUTH_MORE && speaker(auth, &left) != auth->role ? left : 0;
}

enum auth_state auth_input(struct auth *auth, const void *bytes, size_t size)
{
    if (auth->state != AUTH_MORE || size == 0)
        return auth->state;
    if (size > auth_wants(auth))
        return auth->state = AUTH_REFUSED;
    memcpy(auth->talk + auth->at, bytes, size);
    return go_on(auth, size);
}

const void *auth_output(const struct auth *auth, size_t *size)
{
    if (auth->state != AUTH_MORE || speaker(auth, size) != auth->role)
        *size = 0;
    return auth->talk + auth->at;
}

enum auth_state auth_sent(struct auth *auth, size_t size)
{
    return auth->state == AUTH_MORE ? go_on(auth, size) : auth->state;
}

short auth_events(const struct auth *auth) { return auth_wants(auth) > 0 ? POLLIN : POLLOUT; }

int auth_left(const struct auth *auth)
{
    long long left = auth->end_ms - now_ms();
    return left < 0 ? 0 : (int)left;
}

enum auth_state auth_step(struct auth *auth, int fd)
{
    unsigned char bytes[AUTH_TALK];
    size_t to_send, wanted = auth_wants(auth);
    const void *output = auth_output(auth, &to_send);
    if (auth->state != AUTH_MORE)
        return auth->state;
    if (auth_left(auth) == 0) {
        errno = ETIMEDOUT;
        return auth->state = AUTH_REFUSED;
    }
    ssize_t count = wanted > 0 ? recv(fd, bytes, wanted, MSG_DONTWAIT) : send(fd, output, to_send, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (count == -1 && (errno == EINTR || errno == EAGAIN))
        return AUTH_MORE;
    if (count <= 0)
        auth->state = AUTH_REFUSED;
    else if (wanted > 0)
        auth_input(auth, bytes, (size_t)count);
    else
        auth_sent(auth, (size_t)count);
    /* wrong bytes, or the other side has closed: that is what we see when it has refused us */
    if (auth->state == AUTH_REFUSED && (count >= 0 || errno == ECONNRESET || errno == EPIPE))
        errno = EACCES;
    return auth->state;
}

static int handshake(int fd, enum auth_role role, const void *key, size_t key_size, int limit_ms)
{
    struct auth auth;
    if (auth_begin(&auth, role, key, key_size, limit_ms) == -1)
        return -1;
    while (auth.state == AUTH_MORE) {
        struct pollfd one = { .fd = fd, .events = auth_events(&auth) };
        int ready = poll(&one, 1, auth_left(&auth));
        if (ready == -1 && errno != EINTR)
            return -1;
        if (ready == 1 || auth_left(&auth) == 0)
            auth_step(&auth, fd);
    }
    return auth.state == AUTH_DONE ? 0 : -1;
}

int auth_client(int fd, const void *key, size_t size, int limit_ms) { return handshake(fd, AUTH_CLIENT, key, size, limit_ms); }
int auth_server(int fd, const void *key, size_t size, int limit_ms) { return handshake(fd, AUTH_SERVER, key, size, limit_ms); }
