/* addresses.c - from a text to an address of IPv4 or IPv6, and back to a text.
   Python: socket.getaddrinfo("127.0.0.1", 4711, type=socket.SOCK_STREAM)
   Calls:  getaddrinfo(3), freeaddrinfo(3), getnameinfo(3), gai_strerror(3)
   Needs:  byte_order
   Try:    Add "localhost" to the list, with 0 for AI_NUMERICHOST. What is asked now is /etc/hosts; for
           other names it is a server far away, and may take seconds. */
#include "workbook.h"

#include <netdb.h>
#include <sys/socket.h>

static void look_up(const char *host, const char *port)
{
    struct addrinfo *found, hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST };
    char text[64], number[16];
    int code = getaddrinfo(host, port, &hints, &found);     /* numbers in, so nobody has to be asked */
    if (code == EAI_NONAME) {
        say("%s: not an address", host);
        return;
    }
    if (code != 0)
        die("getaddrinfo: %s", gai_strerror(code));         /* its errors are not those of errno */
    /* It gives a list: a name may have several addresses. Try one after the other until one answers. */
    for (const struct addrinfo *one = found; one != NULL; one = one->ai_next) {
        code = getnameinfo(one->ai_addr, one->ai_addrlen, text, sizeof text, number, sizeof number,
            NI_NUMERICHOST | NI_NUMERICSERV);
        if (code != 0)
            die("getnameinfo: %s", gai_strerror(code));
        say("%s: %s, %u bytes: %s port %s", host, one->ai_family == AF_INET6 ? "IPv6" : "IPv4",
            (unsigned)one->ai_addrlen, text, number);
    }
    freeaddrinfo(found);
}

int main(void)
{
    look_up("127.0.0.1", "4711");       /* this machine, for itself */
    look_up("::1", "4711");             /* the same, by IPv6 */
    look_up("0.0.0.0", "4711");         /* for a server: all addresses of this machine, for everybody */
    look_up("127.0.0.256", "4711");
}

/* Output:
127.0.0.1: IPv4, 16 bytes: 127.0.0.1 port N1
::1: IPv6, 28 bytes: ::1 port N1
0.0.0.0: IPv4, 16 bytes: 0.0.0.0 port N1
127.0.0.256: not an address
*/
