// Starts programs in namespaces of their own, or in those of another process; knows Linux, must not know
// Node-API or what the programs do.
#include "enclosure.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/if_tun.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define FIRST_KEPT 3
// As many as one may reasonably have, so that there is room for their numbers.
#define MOST_KEPT 1024
#define BACKLOG 511
#define LAST_CAPABILITY 63

// --- in the new process, which has one thread: only what is safe after a fork ---

static bool write_text(const char *path, const char *text, struct failure *failure) {
  int fd = open(path, O_WRONLY | O_CLOEXEC);
  bool done = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
  if (!done) fail(failure, "write", path);
  if (fd >= 0) close(fd);
  return done;
}

// Everybody stays who they are: files have the same owner inside and outside. user_namespaces(7): an
// ordinary user may map itself only, and its group once it may not drop groups any more.
static bool make_user_namespace(struct failure *failure) {
  char users[48], groups[48];
  snprintf(users, sizeof users, "%u %u 1", geteuid(), geteuid());
  snprintf(groups, sizeof groups, "%u %u 1", getegid(), getegid());
  if (unshare(CLONE_NEWUSER) != 0) return fail(failure, "unshare", "user");
  return write_text("/proc/self/setgroups", "deny", failure) &&
      write_text("/proc/self/uid_map", users, failure) &&
      write_text("/proc/self/gid_map", groups, failure);
}

static bool join(int fd, int kind, const char *path, struct failure *failure) {
  bool done = setns(fd, kind) == 0;
  if (!done) fail(failure, "setns", path);
  close(fd);
  return done;
}

// Who is not root loses all capabilities with execve, unless they are ambient: capabilities(7).
static bool keep_capabilities(struct failure *failure) {
  struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
  struct __user_cap_data_struct data[2];
  if (syscall(SYS_capget, &header, data) != 0) return fail(failure, "capget", "capabilities");
  for (size_t i = 0; i < 2; i++) data[i].inheritable = data[i].permitted;
  if (syscall(SYS_capset, &header, data) != 0) return fail(failure, "capset", "capabilities");
  for (unsigned i = 0; i <= LAST_CAPABILITY; i++) {
    bool have = (data[i / 32].permitted >> i % 32 & 1) != 0;
    if (have && prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, i, 0, 0) != 0) {
      return fail(failure, "prctl", "ambient capabilities");
    }
  }
  return true;
}

static bool set_loopback_up(struct failure *failure) {
  struct ifreq request = {.ifr_name = "lo"};
  int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  bool known = fd >= 0 && ioctl(fd, SIOCGIFFLAGS, &request) == 0;
  request.ifr_flags |= IFF_UP;
  bool done = known && ioctl(fd, SIOCSIFFLAGS, &request) == 0;
  if (!done) fail(failure, "SIOCSIFFLAGS", "lo");
  if (fd >= 0) close(fd);
  return done;
}

static bool is_path(const char *namespace) {
  return namespace[0] == '/';
}

static bool enter(const struct start *start, struct failure *failure) {
  int user = is_path(start->user) ? open(start->user, O_RDONLY | O_CLOEXEC) : -1;
  if (is_path(start->user) && user < 0) return fail(failure, "open", start->user);
  // Both before either: from within the one the path to the other may lead nowhere.
  int network = is_path(start->network) ? open(start->network, O_RDONLY | O_CLOEXEC) : -1;
  if (is_path(start->network) && network < 0) return fail(failure, "open", start->network);
  bool inside = true;
  if (user >= 0) inside = join(user, CLONE_NEWUSER, start->user, failure);
  else if (start->user[0] != '\0') inside = make_user_namespace(failure);
  if (inside && start->user[0] != '\0') inside = keep_capabilities(failure);
  if (!inside || start->network[0] == '\0') return inside;
  if (network >= 0) return join(network, CLONE_NEWNET, start->network, failure);
  if (unshare(CLONE_NEWNET) != 0) return fail(failure, "unshare", "network");
  return set_loopback_up(failure);
}

// Whether a TUN device can be had in there; it is gone when its descriptor is closed.
static bool try_tun(struct failure *failure) {
  static const char path[] = "/dev/net/tun";
  struct ifreq request = {.ifr_flags = IFF_TUN | IFF_NO_PI};
  int fd = open(path, O_RDWR | O_CLOEXEC);
  if (fd < 0) return fail(failure, "open", path);
  bool done = ioctl(fd, TUNSETIFF, &request) == 0;
  if (!done) fail(failure, "TUNSETIFF", "");
  close(fd);
  return done;
}

// First aside, since what is to be 3 may be where another one is.
static bool place_descriptors(const struct start *start, struct failure *failure) {
  int aside[MOST_KEPT], count = (int)start->kept_count;
  for (int i = 0; i < count; i++) {
    aside[i] = fcntl(start->kept[i], F_DUPFD_CLOEXEC, FIRST_KEPT + count);
    if (aside[i] < 0) return fail(failure, "fcntl", "F_DUPFD");
  }
  for (int i = 0; i < count; i++) {
    if (dup2(aside[i], FIRST_KEPT + i) < 0) return fail(failure, "dup2", "descriptor");
  }
  // Node keeps its own from other programs, and may have made them non-blocking, which those do not expect.
  for (int fd = 0; fd < FIRST_KEPT; fd++) {
    int flags = fcntl(fd, F_GETFL);
    if (flags >= 0) fcntl(fd, F_SETFL, flags & ~O_NONBLOCK);
    if (flags >= 0) fcntl(fd, F_SETFD, 0);
  }
  return true;
}

static void reset_signals(void) {
  for (int number = 1; number < NSIG; number++) signal(number, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
}

static _Noreturn void become(const struct start *start, pid_t parent, int report) {
  struct failure failure = {0};
  reset_signals();
  // After the capabilities have changed, which makes the kernel forget it.
  bool ready = enter(start, &failure) && place_descriptors(start, &failure);
  if (ready && start->argv[0] == NULL && try_tun(&failure)) _exit(0);
  if (ready && start->argv[0] != NULL) {
    prctl(PR_SET_PDEATHSIG, start->last_signal);
    if (getppid() != parent) _exit(1);
    execvpe(start->argv[0], start->argv, start->envp);
    fail(&failure, "execve", start->argv[0]);
  }
  ssize_t ignored = write(report, &failure, sizeof failure);
  (void)ignored;
  _exit(1);
}

// --- in the process that waits ---

static const int HANDED_ON[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2};
#define HANDED_ON_COUNT (sizeof HANDED_ON / sizeof *HANDED_ON)

// `our_parent` is 0 where its end does not concern us.
static volatile pid_t started, our_parent;

// A terminal sends its signals to all of its foreground processes: the other one has them already. What
// we get because our parent has ended nobody else gets, and it has the last word.
static void hand_on(int number, siginfo_t *info, void *context) {
  (void)context;
  int before = errno;
  bool orphaned = our_parent != 0 && getppid() != our_parent;
  if (info->si_code != SI_KERNEL) kill(started, orphaned ? SIGKILL : number);
  errno = before;
}

static int wait_for(pid_t pid) {
  int status;
  while (waitpid(pid, &status, 0) < 0) {
    if (errno != EINTR) return 1;
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

// Until the program has begun, or said what has failed.
static bool has_begun(int report, struct failure *failure) {
  ssize_t length;
  do length = read(report, failure, sizeof *failure);
  while (length < 0 && errno == EINTR);
  return length == 0;
}

int enclosure_run(const struct start *start, struct failure *failure) {
  int report[2];
  if (start->kept_count > MOST_KEPT) return errno = EMFILE, fail(failure, "fcntl", "F_DUPFD"), -1;
  if (pipe2(report, O_CLOEXEC) != 0) return fail(failure, "pipe2", "report"), -1;
  // Out of the way of what the program is given.
  int end = fcntl(report[1], F_DUPFD_CLOEXEC, FIRST_KEPT + (int)start->kept_count);
  if (end < 0) {
    fail(failure, "fcntl", "F_DUPFD");
    close(report[0]);
    close(report[1]);
    return -1;
  }
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  struct sigaction action = {.sa_sigaction = hand_on, .sa_flags = SA_SIGINFO | SA_RESTART};
  struct sigaction previous[HANDED_ON_COUNT];
  pid_t parent = getpid(), pid = fork();
  if (pid == 0) become(start, parent, end);
  int error = errno;
  started = pid;
  int last_signal = 0;
  prctl(PR_GET_PDEATHSIG, &last_signal);
  our_parent = last_signal != 0 ? getppid() : 0;
  for (size_t i = 0; i < HANDED_ON_COUNT; i++) sigaction(HANDED_ON[i], &action, &previous[i]);
  close(report[1]);
  close(end);
  if (pid > 0) pthread_sigmask(SIG_SETMASK, &before, NULL);
  bool begun = pid > 0 && has_begun(report[0], failure);
  close(report[0]);
  int code = pid > 0 ? wait_for(pid) : -1;
  for (size_t i = 0; i < HANDED_ON_COUNT; i++) sigaction(HANDED_ON[i], &previous[i], NULL);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  if (pid > 0) return begun ? code : -1;
  errno = error;
  return fail(failure, "fork", "process"), -1;
}

int enclosure_reset(int fd) {
  const struct linger at_once = {.l_onoff = 1, .l_linger = 0};
  return setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}

int enclosure_listen(const char *address, int port, struct failure *failure) {
  struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port)};
  struct sockaddr_in four = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
  bool is_six = strchr(address, ':') != NULL;
  int on = 1;
  int known = is_six ? inet_pton(AF_INET6, address, &six.sin6_addr)
                     : inet_pton(AF_INET, address, &four.sin_addr);
  if (known != 1) return errno = EINVAL, fail(failure, "inet_pton", address), -1;
  const struct sockaddr *at = is_six ? (struct sockaddr *)&six : (struct sockaddr *)&four;
  int fd = socket(at->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  bool done = fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
      (!is_six || setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) == 0) &&
      bind(fd, at, is_six ? sizeof six : sizeof four) == 0 && listen(fd, BACKLOG) == 0;
  if (done) return fd;
  fail(failure, "listen", address);
  if (fd >= 0) close(fd);
  return -1;
}
