/* auth.h - do both sides of a connection know the same secret key? They prove it, and do not send it:
   what Python's multiprocessing.connection does with authkey.

       server -> client   S                    a challenge: 32 random bytes, never used before
       client -> server   C, MAC('C', S, C)    its own challenge, and its answer: 32 bytes each
       server -> client   MAC('S', S, C)       only when the client's answer is right; else it closes

   MAC is HMAC-SHA-256 (see sha256.h): only who knows the key can compute it. An old answer is wrong
   for a new challenge. The letter, the role, makes an answer of the client wrong as one of the server.

   All messages have a fixed size, so no length comes from a stranger; and no byte is taken from the
   connection behind the handshake. What it does not do: hide what is said later, or keep others on
   the way from changing it. For that a connection must be encrypted (TLS).

   A key has 1 byte or more; take 16 or more random ones. It is not copied: it must stay where it is
   until the handshake is over. FD is a connected stream socket (Unix or TCP). A limit is in ms. */
#ifndef AUTH_H
#define AUTH_H

#include "sha256.h"

#include <stddef.h>

enum { AUTH_CHALLENGE = 32, AUTH_TALK = 2 * AUTH_CHALLENGE + 2 * SHA256_SIZE };

enum auth_role { AUTH_CLIENT = 'C', AUTH_SERVER = 'S' };
enum auth_state { AUTH_MORE, AUTH_DONE, AUTH_REFUSED };

/* ---- for who may wait ---- */

/* The whole handshake on FD, within LIMIT_MS. Returns 0: the other side has the same key; or -1: EACCES
   (it has not, or it refused us: it has closed), ETIMEDOUT, EINVAL (no key), or errno of getrandom(2),
   poll(2), recv(2), send(2). After a -1 close FD. Goes on after EINTR.
   Python: answer_challenge and deliver_challenge; inside Client() and Listener.accept(). */
int auth_client(int fd, const void *key, size_t size, int limit_ms);
int auth_server(int fd, const void *key, size_t size, int limit_ms);

/* ---- for a server with a poll loop, which must never wait for one client ----

       check(auth_begin(&auth, AUTH_SERVER, key, key_size, 2000));
       ... poll FD for auth_events(&auth), at most auth_left(&auth) ms ...
       switch (auth_step(&auth, fd)) {                   also when the time has passed
       case AUTH_MORE:    poll again
       case AUTH_DONE:    a friend: now the first request may be read
       case AUTH_REFUSED: close FD; errno says why
       } */

struct auth {                           /* leave the fields alone */
    enum auth_role role;
    enum auth_state state;
    const void *key;
    size_t key_size;
    long long end_ms;                   /* by CLOCK_MONOTONIC */
    size_t at;                          /* how many bytes of the talk are over */
    unsigned char talk[AUTH_TALK];      /* all that is said: S, then C, MAC('C'), then MAC('S') */
};

/* Makes AUTH ready, with a new challenge. Returns 0, or -1: EINVAL (no key), or errno of getrandom(2). */
int auth_begin(struct auth *auth, enum auth_role role, const void *key, size_t key_size, int limit_ms);

/* One send or one recv on FD, without waiting. When AUTH_REFUSED it sets errno as auth_client does. */
enum auth_state auth_step(struct auth *auth, int fd);

/* What to poll for: POLLIN or POLLOUT. How many ms are left: 0, when none. */
short auth_events(const struct auth *auth);
int auth_left(const struct auth *auth);

/* The same without a socket; auth_step is made of these. auth_wants: how many bytes may come now; read no
   more than these. auth_input takes bytes that have come; more than wanted are refused. auth_output: what
   to send now, and how much; auth_sent: so much of it was sent. */
size_t auth_wants(const struct auth *auth);
enum auth_state auth_input(struct auth *auth, const void *bytes, size_t size);
const void *auth_output(const struct auth *auth, size_t *size);
enum auth_state auth_sent(struct auth *auth, size_t size);

#endif
