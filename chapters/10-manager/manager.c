/* manager.c - what a process knows of a manager: where the server is, the key, its connections, its proxies. */
#include "workbook.h"

#include "connection.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void free_manager(struct manager *manager)
{
    while (manager->connections != NULL)
        free_connection(manager->connections);
    while (manager->proxies != NULL)
        free_proxy(manager->proxies);
    check_pthread(pthread_mutex_lock(&managers_lock));
    struct manager **link = &managers;
    while (*link != manager)
        link = &(*link)->next;
    *link = manager->next;
    check_pthread(pthread_mutex_unlock(&managers_lock));
    hang_up(&manager->life);
    check_pthread(pthread_key_delete(manager->mine));
    free(manager->key);
    free(manager);
}

/* Understands "/path/socket" and "127.0.0.1:5000"; in a proxy's address, what is before the space. */
static int set_address(struct manager *manager, const char *address)
{
    size_t length = strcspn(address, " ");
    if (length >= sizeof ((struct sockaddr_un *)NULL)->sun_path)
        return fail(EINVAL, "the address is too long");
    memcpy(manager->address, address, length);
    manager->address[length] = '\0';
    if (address[0] == '/') {
        struct sockaddr_un name = { .sun_family = AF_UNIX };
        memcpy(name.sun_path, manager->address, length);
        snprintf(manager->directory, sizeof manager->directory, "%.*s", (int)(strrchr(manager->address, '/') - manager->address),
                 manager->address);
        memcpy(&manager->name, &name, manager->name_size = sizeof name);
        return 0;
    }
    struct sockaddr_in name = { .sin_family = AF_INET };
    char host[INET_ADDRSTRLEN], *colon = strchr(manager->address, ':');
    long port;
    if (colon == NULL || parse_number(colon + 1, 0, 65535, &port) == -1)
        return fail(EINVAL, "an address is a path or like 127.0.0.1:5000");
    snprintf(host, sizeof host, "%.*s", (int)(colon - manager->address), manager->address);
    if (inet_pton(AF_INET, host, &name.sin_addr) != 1)
        return fail(EINVAL, "an address is a path or like 127.0.0.1:5000");
    if (manager->key == NULL)
        return fail(EINVAL, "over TCP anybody can come: there must be a key");
    name.sin_port = htons((uint16_t)port);
    memcpy(&manager->name, &name, manager->name_size = sizeof name);
    return 0;
}

struct manager *new_manager(const char *address, const void *key, size_t key_size)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    check_pthread(pthread_once(&once, register_fork_handler));
    struct manager *manager = calloc(1, sizeof *manager);
    int error = manager == NULL ? ENOMEM : pthread_key_create(&manager->mine, free_connection);
    if (error != 0) {
        free(manager);
        fail(error, "no memory for a manager");
        return NULL;
    }
    manager->life = -1;
    check_pthread(pthread_mutex_lock(&managers_lock));
    manager->next = managers;
    managers = manager;
    check_pthread(pthread_mutex_unlock(&managers_lock));
    manager->key_size = key_size;
    if (key != NULL && (key_size == 0 || (manager->key = malloc(key_size)) == NULL))
        error = fail(EINVAL, "an empty key, or no memory for it");
    else if (key != NULL)
        memcpy(manager->key, key, key_size);
    if (error != -1 && set_address(manager, address) != -1)
        return manager;
    error = errno;
    free_manager(manager);
    errno = error;
    return NULL;
}

const char *manager_address(const struct manager *manager)
{
    return manager->address;
}

pid_t manager_server_pid(const struct manager *manager)
{
    return manager->pid;
}

struct proxy *new_proxy(struct manager *manager, uint32_t object)
{
    struct proxy *proxy = malloc(sizeof *proxy);
    if (proxy == NULL) {
        fail(ENOMEM, "no memory for a proxy");
        return NULL;
    }
    check_pthread(pthread_mutex_lock(&managers_lock));
    *proxy = (struct proxy){ .manager = manager, .object = object, .next = manager->proxies };
    manager->proxies = proxy;
    check_pthread(pthread_mutex_unlock(&managers_lock));
    return proxy;
}

void free_proxy(struct proxy *proxy)
{
    check_pthread(pthread_mutex_lock(&managers_lock));
    struct proxy **link = &proxy->manager->proxies;
    while (*link != proxy)
        link = &(*link)->next;
    *link = proxy->next;
    check_pthread(pthread_mutex_unlock(&managers_lock));
    free(proxy);
}

struct manager *manager_connect(const char *address, const void *key, size_t key_size)
{
    struct manager *manager = new_manager(address, key, key_size);
    if (manager != NULL && try_to_connect(manager) == -1) {
        int error = errno;
        free_manager(manager);
        errno = error;
        return NULL;
    }
    return manager;
}
