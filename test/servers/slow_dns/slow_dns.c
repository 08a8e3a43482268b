/* slow_dns.so, for LD_PRELOAD: makes getaddrinfo slow or fickle for some host names, to test who waits for it. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <netdb.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

typedef int (*lookup)(const char *, const char *, const struct addrinfo *, struct addrinfo **);

static int ends_with(const char *name, const char *end)
{
    size_t length = name == NULL ? 0 : strlen(name);
    return length > strlen(end) && strcasecmp(name + length - strlen(end), end) == 0;
}

/* *.slow.test answers after 600 s, *.flip.test is 127.0.0.1 and 203.0.113.9 in turn, *.loop.test is 127.0.0.1. */
int getaddrinfo(const char *restrict node, const char *restrict service, const struct addrinfo *restrict hints,
                struct addrinfo **restrict result)
{
    static atomic_uint flips;
    lookup real = (lookup)dlsym(RTLD_NEXT, "getaddrinfo");

    if (ends_with(node, ".slow.test"))
    {
        /* A signal cuts sleep() short. */
        unsigned left = 600;
        while (left > 0)
            left = sleep(left);
        node = "127.0.0.1";
    }
    else if (ends_with(node, ".flip.test"))
        node = atomic_fetch_add(&flips, 1) % 2 == 0 ? "127.0.0.1" : "203.0.113.9";
    else if (ends_with(node, ".loop.test"))
        node = "127.0.0.1";
    return real(node, service, hints, result);
}
