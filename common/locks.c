#include "workbook.h"

void with_lock_end(pthread_mutex_t **mutex)
{
    if (*mutex != NULL)
        check_pthread(pthread_mutex_unlock(*mutex));
    *mutex = NULL;
}
