/* start.h - to start a server process and to stop it: manager_start and manager_stop of manager.h, and this. */
#ifndef START_H
#define START_H

struct manager;

/* A connection was lost. If it was our server that ended, removes what it has left. */
void server_is_gone(struct manager *manager);

#endif
