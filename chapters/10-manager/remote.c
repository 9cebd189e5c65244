/* remote.c - a manager and its client on two hosts, over TCP, with a key. The program makes two hosts by
   itself, where it may: a network namespace is a network of its own, inside one machine. Elsewhere both
   sides talk over 127.0.0.1, and all that follows is the same.
   Python: BaseManager(address=("10.77.0.1", 0), authkey=b"...").start(), and connect() on the other host
   Calls:  unshare(2), see network_namespaces(7) and veth(4); sh and ip(8) do the rest
   Needs:  03-exec/exec, 08-queues/pipe_duplex, authkey
   Try:    Run it as   unshare -Ur sh -c 'echo 0 >/proc/sys/user/max_net_namespaces; build/remote'
           Now it may not make hosts. Only the numbers in the first line change. */
#include "workbook.h"

#include "manager.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static const char key[] = "open sesame", wrong_key[] = "open barley";

struct network {
    bool two;                       /* two hosts, joined by a veth: a cable with two plugs */
    int line[2];                    /* server, client: "I am on my host", "your plug is there" */
    char server[64], ages[PROXY_ADDRESS];
    pid_t parent;
    const char *command;
};

/* ---- the hosts: ip(8) does what a program could also do with netlink(7), in many more lines ---- */

static int run_shell(void *argument)
{
    const struct network *network = argument;
    check(end_with_parent(network->parent));
    return check(execl("/bin/sh", "sh", "-c", network->command, (char *)NULL));
}

/* Is there such a command, and did all of it work? */
static bool run(const char *command)
{
    char line[300];
    snprintf(line, sizeof line, "PATH=$PATH:/usr/sbin:/sbin; { %s; } >/dev/null 2>&1", command);
    struct network shell = { .parent = getpid(), .command = line };
    pid_t child = check(start_child(run_shell, &shell));
    return check(wait_child(child)) == 0;
}

/* Moves this process to a new network, with nothing in it. Root may do so. Everybody else may, on most
   machines, in a user namespace: there one is root, over nothing but one's own namespaces. */
static bool leave_network(void)
{
    char map[40];
    int length = snprintf(map, sizeof map, "0 %d 1", (int)getuid());    /* root there is me here */
    if (unshare(CLONE_NEWNET) == 0)
        return true;
    if (unshare(CLONE_NEWUSER | CLONE_NEWNET) == -1)
        return false;
    int fd = open("/proc/self/uid_map", O_WRONLY | O_CLOEXEC);
    bool good = fd != -1 && write(fd, map, (size_t)length) == length;
    if (fd != -1)
        check(close(fd));
    return good;
}

static bool lay_cable(void)
{
    return run("ip link add east type veth peer name west && ip address add 10.77.0.1/24 dev east && "
               "ip link set east up && ip link set lo up");     /* lo: this host's way to itself */
}

/* In a child, whose networks end with it: would all of it work here? */
static int rehearse(void *argument)
{
    const struct network *network = argument;
    check(end_with_parent(network->parent));
    return !(leave_network() && lay_cable());
}

/* ---- the client: it knows two addresses and the key ---- */

static int be_client(void *argument)
{
    const struct network *network = argument;
    char byte;
    int age;
    check(end_with_parent(network->parent));
    check(close(network->line[0]));
    if (network->two) {
        check(unshare(CLONE_NEWNET));           /* the second host */
        check(write_full(network->line[1], "!", 1));
        if (check(read_full(network->line[1], &byte, 1)) != 1 ||
            !run("ip address add 10.77.0.2/24 dev west && ip link set west up"))
            die("client: no way to the server");
    }
    if (manager_connect(network->server, wrong_key, sizeof wrong_key) == NULL)
        say("client, with a wrong key: %s", errno_name(errno));

    struct manager *manager = check_ptr(manager_connect(network->server, key, sizeof key));
    struct dict *ages = check_ptr(manager_proxy(manager, network->ages));
    check(dict_get(ages, "Ann", &age, sizeof age));
    say("client, with the right key: Ann is %d; Bob is set to 36", age);
    age = 36;
    check(dict_set(ages, "Bob", &age, sizeof age));
    check(manager_stop(manager));               /* its connections only: it has not started the server */
    check(close(network->line[1]));
    return 0;
}

/* ---- the server's host ---- */

/* The client has left the network: push its plug over, and say so. Returns the client's network, or -1.
   Without a process or a descriptor in it, a network ends, and with its plug the whole cable, and with that
   the server's address: then even this host could not reach the server any more. */
static int connect_hosts(const struct network *network, pid_t client)
{
    char byte, path[60], command[60];
    if (check(read_full(network->line[0], &byte, 1)) != 1)
        return -1;                              /* it has ended */
    snprintf(path, sizeof path, "/proc/%d/ns/net", (int)client);
    snprintf(command, sizeof command, "ip link set west netns %d", (int)client);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd == -1 || !run(command) || send(network->line[0], "!", 1, MSG_NOSIGNAL) == -1)
        check(shutdown(network->line[0], SHUT_WR));     /* it sees the end of file */
    return fd;
}

int main(int argc, char **argv)
{
    no_arguments(argc, argv);
    struct network network = { .parent = getpid() };
    pid_t rehearsal = check(start_child(rehearse, &network));
    network.two = check(wait_child(rehearsal)) == 0 && leave_network();
    if (network.two && !lay_cable())
        die("no cable, although the rehearsal had one");

    struct manager *manager = check_ptr(manager_start(network.two ? "10.77.0.1:0" : "127.0.0.1:0", key, sizeof key));
    struct dict *ages = check_ptr(manager_dict(manager));
    int age = 38;
    check(dict_set(ages, "Ann", &age, sizeof age));
    snprintf(network.server, sizeof network.server, "%s", manager_address(manager));
    proxy_address(ages, network.ages);
    say("Measured: hosts: %d; the server's address: %s", network.two ? 2 : 1, network.server);

    check(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, network.line));
    pid_t client = check(start_child(be_client, &network));
    check(close(network.line[1]));
    int other_network = network.two ? connect_hosts(&network, client) : -1;
    int status = check(wait_child(client));
    if (status == 0) {
        check(dict_get(ages, "Bob", &age, sizeof age));
        say("server's host: Bob is %d", age);
    } else if (WIFSIGNALED(status)) {
        dprintf(STDERR_FILENO, "the client was killed by signal %d\n", WTERMSIG(status));
    }
    check(close(network.line[0]));
    check(manager_stop(manager));
    if (other_network != -1)
        check(close(other_network));
    return status != 0;
}

/* Output:
Measured: hosts: 2; the server's address: 10.77.0.1:40123
client, with a wrong key: EACCES
client, with the right key: Ann is 38; Bob is set to 36
server's host: Bob is 36
*/
