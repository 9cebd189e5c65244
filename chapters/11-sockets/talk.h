/* talk.h - what the servers and clients of this chapter share: to listen, to connect, and to talk with
   ONE client. How many clients there are at once, and who serves them, is each server's own choice.

       int listener = listen_as_told(argc, argv);      a server: its arguments are PORT [ADDRESS]
       int client = accept_client(listener);
       talk_with(client, &limits);                     its bytes in capital letters, until it ends
       close(client);

   A function that fails returns -1 with errno, if nothing else is said. All go on after EINTR. */
#ifndef TALK_H
#define TALK_H

#include <stddef.h>

/* Reads a server's arguments, PORT [ADDRESS], and gives a socket that listens there. PORT 0 means any
   free one; ADDRESS is 127.0.0.1 if it is not given; ::1 is the same of IPv6. Wrong arguments: a usage
   line and exit 2. If it cannot listen there, one line says why and what to do, and exit 1. */
int listen_as_told(int argc, char **argv);

/* The next client that waits to be taken: a new socket, non-blocking. It does not wait: -1 with EAGAIN means that no
   client is there (any more). All other errors, such as EMFILE (no descriptor is free), mean that one is
   there and cannot be taken now. It stays there, so poll would say "ready" at once, again and again:
   let poll look away from the listener for a while. */
int accept_client(int listener);

/* Lets this process have COUNT open descriptors, or as many as the machine allows it (ulimit -Hn). */
void allow_descriptors(unsigned count);

/* The port of a socket, as a number. */
int port_of(int fd);

/* SIGTERM, SIGINT, SIGCHLD and SIGALRM do nothing from now on, but come as bytes out of the descriptor
   that it returns: one poll waits for them and for clients. (04-signals/self_pipe has the same.)
   To be called first of all, so that nobody can end the server halfway. */
int open_signals(void);

/* The number of the next signal that has come, or 0. A child of fork gets its own signals, not ours. */
int next_signal(int signals);

/* From now on SIGTERM and SIGINT end this process at once again. */
int let_signals_end_us(void);

/* A connection to the server at ADDRESS (in numbers: 127.0.0.1 or ::1) and PORT. */
int connect_to(const char *address, const char *port);

/* How long, and how much, a client may talk. */
struct limits {
    int quiet_ms;               /* longest wait for its next bytes, or until it takes some of ours */
    long long whole_ms;         /* longest talk */
    long long bytes;            /* most bytes that it may send */
};

enum ended { NOT_ENDED, BY_CLIENT, BY_ERROR, TOO_QUIET, TOO_LONG, TOO_MUCH };

/* Talks with the client at the other end of FD, a non-blocking socket: takes bytes, sends them back in
   capital letters, until the client has sent its last one, or a limit is reached. Says how it ended.
   Does not close FD. Python: settimeout(seconds) has the first of the limits. */
enum ended talk_with(int fd, const struct limits *limits);

/* Makes capital letters of the ASCII letters. All other bytes stay: so a text in UTF-8 stays one. */
void upper(char *bytes, size_t size);

#endif
