/* Room for a thousand connections. */
#ifndef DESCRIPTORS_H
#define DESCRIPTORS_H

#include <sys/resource.h>

static inline void raise_descriptor_limit(void)
{
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

#endif
