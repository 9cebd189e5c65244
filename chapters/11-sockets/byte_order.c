/* byte_order.c - which byte of a number comes first? In memory the processor decides; on the network, a rule.
   Python: int.to_bytes(4, "big"), struct.pack("!I", number), socket.htonl(number)
   Calls:  htonl(3), htons(3), ntohl(3)
   Needs:  01-fork/pipe
   Try:    Take out htonl only, as if one of two programmers had forgotten it: 67305985 is received. Take
           out ntohl too: 16909060, as long as both machines have the same kind of processor. */
#include "workbook.h"

#include <arpa/inet.h>
#include <stdint.h>
#include <unistd.h>

int main(void)
{
    int ends[2];
    uint32_t number = 0x01020304, on_the_way, received;     /* 16909060: from high to low 1, 2, 3, 4 */
    uint16_t port = htons(4711);                            /* 0x1267: a port is a number of 16 bits */
    unsigned char bytes[4];
    const unsigned char *in_memory = (const unsigned char *)&port;

    check(pipe(ends));                  /* stands for the network: it carries bytes, not numbers */
    on_the_way = htonl(number);         /* "host to network, long": the highest byte comes first */
    check(write_full(ends[1], &on_the_way, 4));
    check(read_full(ends[0], bytes, 4));
    say("the bytes of 0x01020304 on the way: %d %d %d %d", bytes[0], bytes[1], bytes[2], bytes[3]);
    say("the bytes of port 0x1267: %02x %02x", in_memory[0], in_memory[1]);

    check(write_full(ends[1], bytes, 4));
    check(read_full(ends[0], &received, 4));
    say("received with ntohl: %u", ntohl(received));

    /* The same without htonl and ntohl: shifts know values only, so they are right on every machine. */
    received = (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
    say("received with shifts: %u", received);
    check(close(ends[0]));
    check(close(ends[1]));
}

/* Output:
the bytes of 0x01020304 on the way: 1 2 3 4
the bytes of port 0x1267: 12 67
received with ntohl: 16909060
received with shifts: 16909060
*/
