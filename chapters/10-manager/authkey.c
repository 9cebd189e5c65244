/* authkey.c - both sides of a connection prove that they know the key, and nobody sends it.
   Python: Listener(address, authkey=b"..."), Client(address, authkey=b"..."), AuthenticationError
   Calls:  getrandom(2), recv(2) and send(2) with MSG_DONTWAIT, poll(2)
   Needs:  08-queues/pipe_duplex, 04-signals/self_pipe, manager_step2
   Try:    In auth.c leave the role out of the answer (write 0 for it). Then the server that lies
           gets in: the client takes its own answer for the server's. */
#include "workbook.h"

#include "auth.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* RFC 4231, 4.2 to 4.8. The key is KEY, KEY_TIMES times; the text likewise. */
static const struct vector {
    const char *key;
    int key_times;
    const char *text;
    int text_times;
    const char *mac;                    /* in hexadecimal digits; of number 5 only the first half */
} vectors[] = {
    { "\x0b", 20, "Hi There", 1, "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7" },
    { "Jefe", 1, "what do ya want for nothing?", 1, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843" },
    { "\xaa", 20, "\xdd", 50, "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe" },
    { "\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10\x11\x12\x13\x14\x15\x16\x17\x18\x19", 1,
      "\xcd", 50, "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b" },
    { "\x0c", 20, "Test With Truncation", 1, "a3b6167473100ee06e0c796c2955552b" },
    { "\xaa", 131, "Test Using Larger Than Block-Size Key - Hash Key First", 1,
      "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54" },
    { "\xaa", 131, "This is a test using a larger than block-size key and a larger than block-size data. "
      "The key needs to be hashed before being used by the HMAC algorithm.", 1,
      "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2" },
};

static size_t repeat(char *to, const char *text, int times)
{
    to[0] = '\0';
    for (int i = 0; i < times; i++)
        strcat(to, text);
    return strlen(to);
}

static void check_vector(const struct vector *vector)
{
    char key[200], text[200], digits[2 * SHA256_SIZE + 1];
    unsigned char mac[SHA256_SIZE];
    size_t key_size = repeat(key, vector->key, vector->key_times);
    size_t text_size = repeat(text, vector->text, vector->text_times);
    hmac_sha256(key, key_size, text, text_size, mac);
    for (int i = 0; i < SHA256_SIZE; i++)
        snprintf(digits + 2 * i, 3, "%02x", mac[i]);
    if (strncmp(digits, vector->mac, strlen(vector->mac)) != 0)
        die("\"%s\": HMAC-SHA-256 gives %s", vector->text, digits);
}

/* ---- two sides meet: each is a function that gets its end of a connection, and says what came of it ---- */

typedef const char *side(int fd, const char *key);

static const char *outcome(int result)
{
    return result == 0 ? "the other one knows the key" : errno_name(errno);
}

static const char *client(int fd, const char *key)
{
    return outcome(auth_client(fd, key, strlen(key), 5000));
}

static const char *server(int fd, const char *key)
{
    return outcome(auth_server(fd, key, strlen(key), 5000));
}

static const char *silent_client(int fd, const char *key)
{
    char bytes[AUTH_TALK];
    (void)key;
    check(read_full(fd, bytes, sizeof bytes));      /* until the server has closed */
    return "says nothing";
}

static const char *impatient_server(int fd, const char *key)
{
    return outcome(auth_server(fd, key, strlen(key), 50));
}

/* Has no key, so it cannot answer the client's challenge. It lets the client do that. */
static const char *lying_server(int fd, const char *key)
{
    char bytes[AUTH_CHALLENGE + SHA256_SIZE] = "any 32 bytes can be a challenge";
    (void)key;
    check(write_full(fd, bytes, AUTH_CHALLENGE));
    check(read_full(fd, bytes, sizeof bytes));
    check(write_full(fd, bytes + AUTH_CHALLENGE, SHA256_SIZE));     /* the client's own answer */
    return "does not know the key, and sends the answer back";
}

struct meeting {
    side *client;
    const char *key;
    int ends[2];
    pid_t parent;
};

static int be_client(void *argument)
{
    const struct meeting *meeting = argument;
    check(end_with_parent(meeting->parent));
    check(close(meeting->ends[0]));
    say("  client: %s", meeting->client(meeting->ends[1], meeting->key));
    return 0;
}

static void meet(const char *title, side *client_side, const char *client_key, side *server_side, const char *server_key)
{
    struct meeting meeting = { client_side, client_key, { -1, -1 }, getpid() };
    say("%s", title);
    check(socketpair(AF_UNIX, SOCK_STREAM, 0, meeting.ends));
    pid_t child = check(start_child(be_client, &meeting));
    check(close(meeting.ends[1]));
    const char *result = server_side(meeting.ends[0], server_key);
    check(close(meeting.ends[0]));      /* of a refusal, that is all the client hears */
    if (check(wait_children(&child, 1)) != 0)
        _exit(1);
    say("  server: %s", result);
}

/* ---- without any socket: the form for a poll loop, fed by hand ---- */

/* Carries what FROM has to say to TO. */
static enum auth_state carry(struct auth *from, struct auth *to)
{
    size_t size;
    const void *bytes = auth_output(from, &size);
    enum auth_state state = auth_input(to, bytes, size);
    auth_sent(from, size);
    return state;
}

static void replay(const char *key)
{
    static const char *const names[] = { "more is to come", "done", "refused" };
    struct auth caller, callee;
    check(auth_begin(&callee, AUTH_SERVER, key, strlen(key), 5000));
    check(auth_begin(&caller, AUTH_CLIENT, key, strlen(key), 5000));
    carry(&callee, &caller);
    struct auth recorded = caller;      /* what it will now send: somebody who listens writes it down */
    carry(&caller, &callee);
    say("a talk: client: %s", names[carry(&callee, &caller)]);
    say("a talk: server: %s", names[callee.state]);

    check(auth_begin(&callee, AUTH_SERVER, key, strlen(key), 5000));    /* with another challenge */
    auth_sent(&callee, AUTH_CHALLENGE);         /* to nobody: who replays does not even look at it */
    say("the same bytes again: server: %s", names[carry(&recorded, &callee)]);
}

int main(int argc, char **argv)
{
    no_arguments(argc, argv);
    int count = (int)(sizeof vectors / sizeof vectors[0]);
    for (int i = 0; i < count; i++)
        check_vector(&vectors[i]);
    say("HMAC-SHA-256: right for the %d examples of RFC 4231", count);

    meet("the same key", client, "open sesame", server, "open sesame");
    meet("a wrong client", client, "open barley", server, "open sesame");
    meet("a wrong server", client, "open sesame", server, "open barley");
    meet("a server that lies", client, "open sesame", lying_server, "");
    meet("a client that waits", silent_client, "", impatient_server, "open sesame");
    replay("open sesame");
}

/* Output:
HMAC-SHA-256: right for the 7 examples of RFC 4231
the same key
  client: the other one knows the key
  server: the other one knows the key
a wrong client
  client: EACCES
  server: EACCES
a wrong server
  client: EACCES
  server: EACCES
a server that lies
  client: EACCES
  server: does not know the key, and sends the answer back
a client that waits
  client: says nothing
  server: ETIMEDOUT
a talk: client: done
a talk: server: done
the same bytes again: server: refused
*/
