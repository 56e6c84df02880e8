/* Preloaded into pcscd: a daemon of one's own beside the machine's. What it would do under /run/pcscd it does in the
   folder $OWN_PCSCD, it listens on the loopback address only, where the virtual reader would on all, and it ends when
   the process that started it does. */

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { PATH_ROOM = 4096 };
static const char PLACE[] = "/run/pcscd";

static const char *moved(const char *path, char *room) {
    const char *own = getenv("OWN_PCSCD");
    if (own == NULL || path == NULL || strncmp(path, PLACE, sizeof PLACE - 1) != 0)
        return path;
    snprintf(room, PATH_ROOM, "%s%s", own, path + sizeof PLACE - 1);
    return room;
}

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
#define MOVED(path) moved(path, (char[PATH_ROOM]){0})

static void *end_with(void *parent) {
    while (getppid() == (pid_t)(long)parent)
        sleep(1);
    _exit(0);
}

__attribute__((constructor)) static void start(void) {
    pthread_t watch;
    if (getenv("OWN_PCSCD") != NULL)
        pthread_create(&watch, NULL, end_with, (void *)(long)getppid());
}

int bind(int descriptor, const struct sockaddr *address, socklen_t length) {
    struct sockaddr_storage changed = {0};
    memcpy(&changed, address, length);
    if (address->sa_family == AF_INET)
        ((struct sockaddr_in *)&changed)->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (address->sa_family == AF_INET6)
        ((struct sockaddr_in6 *)&changed)->sin6_addr = in6addr_loopback;
    if (address->sa_family == AF_UNIX) {
        struct sockaddr_un *name = (struct sockaddr_un *)&changed;
        snprintf(name->sun_path, sizeof name->sun_path, "%s", MOVED(((const struct sockaddr_un *)address)->sun_path));
        length = sizeof *name;
    }
    return NEXT(bind)(descriptor, (struct sockaddr *)&changed, length);
}

FILE *fopen(const char *path, const char *mode) { return NEXT(fopen)(MOVED(path), mode); }
int chmod(const char *path, mode_t mode) { return NEXT(chmod)(MOVED(path), mode); }
int lstat(const char *path, struct stat *found) { return NEXT(lstat)(MOVED(path), found); }
int mkdir(const char *path, mode_t mode) { return NEXT(mkdir)(MOVED(path), mode); }
int open(const char *path, int flags, mode_t mode) { return NEXT(open)(MOVED(path), flags, mode); }
int remove(const char *path) { return NEXT(remove)(MOVED(path)); }
int stat(const char *path, struct stat *found) { return NEXT(stat)(MOVED(path), found); }
