// Node-API binding of the TUN device; knows JavaScript values, must not know packets.
// No state outside of the objects handed out, so it loads into any number of threads.
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_tun.h>
#include <linux/rtnetlink.h>
#include <malloc.h>
#include <node_api.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "enclosure.h"
#include "interface.h"
#include "tun.h"

#define MAX_ADDRESSES 32
#define TEXT 256
#define MAX_SPIN_US 1000
#define HEAP_KEPT (64 << 20)

// A device and what keeps its JavaScript side alive while it is attached.
struct device {
  struct tun tun;  // first, so that a pointer to one is a pointer to the other
  napi_env env;
  napi_ref memory, rx, tx, counters, control, on_receive, on_settled, on_status;
  napi_async_context context;
  napi_async_cleanup_hook_handle cleanup;
  int holders;  // the JavaScript handle, and libuv while attached
};

// --- values ---

static napi_value throw_failure(napi_env env, const struct failure *failure) {
  char code[64], message[TEXT + 128], reason[128];
  uv_err_name_r(-failure->error, code, sizeof code);
  if (failure->error == EBADFD) strcpy(code, "EBADFD");
  snprintf(reason, sizeof reason, "%s", strerror(failure->error));
  snprintf(message, sizeof message, "%s %s: %s", failure->step, failure->subject, reason);
  napi_value error, text, value;
  napi_create_string_utf8(env, message, NAPI_AUTO_LENGTH, &text);
  napi_create_string_utf8(env, code, NAPI_AUTO_LENGTH, &value);
  napi_create_error(env, value, text, &error);
  napi_create_int32(env, -failure->error, &value);
  napi_set_named_property(env, error, "errno", value);
  napi_create_string_utf8(env, failure->step, NAPI_AUTO_LENGTH, &value);
  napi_set_named_property(env, error, "syscall", value);
  napi_create_string_utf8(env, failure->subject, NAPI_AUTO_LENGTH, &value);
  napi_set_named_property(env, error, "subject", value);
  napi_throw(env, error);
  return NULL;
}

static napi_value throw_arguments(napi_env env) {
  napi_throw_type_error(env, "ERR_INVALID_ARG_TYPE", "finwait native: invalid arguments");
  return NULL;
}

static bool get_arguments(napi_env env, napi_callback_info info, size_t count, napi_value *out) {
  size_t given = count;
  return napi_get_cb_info(env, info, &given, out, NULL, NULL) == napi_ok && given >= count;
}

static bool get_text(napi_env env, napi_value value, char *out) {
  size_t length;
  if (napi_get_value_string_utf8(env, value, NULL, 0, &length) != napi_ok) return false;
  return length < TEXT && napi_get_value_string_utf8(env, value, out, TEXT, NULL) == napi_ok;
}

static struct device *get_device(napi_env env, napi_value value) {
  void *device = NULL;
  return napi_get_value_external(env, value, &device) == napi_ok ? device : NULL;
}

static void set_text(napi_env env, napi_value object, const char *key, const char *text) {
  napi_value value;
  napi_create_string_utf8(env, text, NAPI_AUTO_LENGTH, &value);
  napi_set_named_property(env, object, key, value);
}

static void set_number(napi_env env, napi_value object, const char *key, int64_t number) {
  napi_value value;
  napi_create_int64(env, number, &value);
  napi_set_named_property(env, object, key, value);
}

// --- life of a device ---

static void let_go(struct device *device) {
  if (--device->holders > 0) return;
  free(device->tun.slots);
  free(device);
}

static void forget(struct device *device, napi_ref *reference) {
  if (*reference != NULL) napi_delete_reference(device->env, *reference);
  *reference = NULL;
}

static void close_device(struct device *device) {
  if (device->tun.closing) return;
  tun_close(&device->tun);
  forget(device, &device->memory);
  forget(device, &device->rx);
  forget(device, &device->tx);
  forget(device, &device->counters);
  forget(device, &device->control);
  forget(device, &device->on_receive);
  forget(device, &device->on_settled);
  forget(device, &device->on_status);
  if (device->context != NULL) napi_async_destroy(device->env, device->context);
  device->context = NULL;
}

static void on_closed(struct tun *tun) {
  struct device *device = (struct device *)tun;
  if (device->cleanup != NULL) napi_remove_async_cleanup_hook(device->cleanup);
  let_go(device);
}

// The thread or process ends: it waits until on_closed has removed the hook.
static void on_teardown(napi_async_cleanup_hook_handle hook, void *data) {
  (void)hook;
  close_device(data);
}

static void on_collected(napi_env env, void *data, void *hint) {
  (void)env;
  (void)hint;
  close_device(data);
  let_go(data);
}

static napi_value create_device(napi_env env, int fd, int watch, bool vnet_header) {
  struct device *device = calloc(1, sizeof *device);
  napi_value handle;
  if (device == NULL ||
      napi_create_external(env, device, on_collected, NULL, &handle) != napi_ok) {
    free(device);
    close(fd);
    if (watch >= 0) close(watch);
    napi_throw_error(env, "ENOMEM", "finwait native: out of memory");
    return NULL;
  }
  device->env = env;
  device->holders = 1;
  device->tun = (struct tun){.fd = fd, .watch = watch, .vnet_header = vnet_header};
  return handle;
}

// --- open, adopt, routes ---

static bool get_addresses(napi_env env, napi_value list, char (*out)[TEXT], uint32_t *count) {
  if (napi_get_array_length(env, list, count) != napi_ok || *count > MAX_ADDRESSES) return false;
  for (uint32_t i = 0; i < *count; i++) {
    napi_value entry;
    if (napi_get_element(env, list, i, &entry) != napi_ok) return false;
    if (!get_text(env, entry, out[i])) return false;
  }
  return true;
}

// open(name, netns, mtu, queueLength, offload, addresses, queue, queues):
//   {handle, name, abilities, skipped}
static napi_value open_device(napi_env env, napi_callback_info info) {
  napi_value arguments[8];
  char name[TEXT], netns[TEXT], texts[MAX_ADDRESSES][TEXT];
  const char *addresses[MAX_ADDRESSES];
  uint32_t count;
  struct interface_options options = {.name = name, .addresses = addresses};
  if (!get_arguments(env, info, 8, arguments) || !get_text(env, arguments[0], name) ||
      !get_text(env, arguments[1], netns) ||
      napi_get_value_int32(env, arguments[2], &options.mtu) != napi_ok ||
      napi_get_value_int32(env, arguments[3], &options.queue_length) != napi_ok ||
      napi_get_value_bool(env, arguments[4], &options.offload) != napi_ok ||
      !get_addresses(env, arguments[5], texts, &count) ||
      napi_get_value_int32(env, arguments[6], &options.queue) != napi_ok ||
      napi_get_value_int32(env, arguments[7], &options.queues) != napi_ok) {
    return throw_arguments(env);
  }
  options.netns = netns[0] == '\0' ? NULL : netns;
  options.address_count = count;
  for (uint32_t i = 0; i < count; i++) addresses[i] = texts[i];

  struct interface interface;
  struct failure failure;
  if (!interface_open(&options, &interface, &failure)) return throw_failure(env, &failure);
  bool vnet_header = (interface.abilities & ABLE_VNET_HEADER) != 0;
  napi_value handle = create_device(env, interface.fd, interface.watch, vnet_header);
  if (handle == NULL) return NULL;
  napi_value result;
  napi_create_object(env, &result);
  napi_set_named_property(env, result, "handle", handle);
  set_text(env, result, "name", interface.name);
  set_number(env, result, "abilities", interface.abilities);
  set_number(env, result, "skipped", (int64_t)interface.skipped);
  return result;
}

// adopt(fd): handle. Takes over a descriptor that carries one packet, without header, per read.
static napi_value adopt_descriptor(napi_env env, napi_callback_info info) {
  napi_value argument;
  int32_t fd;
  if (!get_arguments(env, info, 1, &argument) ||
      napi_get_value_int32(env, argument, &fd) != napi_ok || fd < 0) {
    return throw_arguments(env);
  }
  return create_device(env, fd, -1, false);
}

struct route_list {
  napi_env env;
  napi_value array;
  uint32_t length;
};

static void add_route(const struct route *route, void *context) {
  struct route_list *list = context;
  char destination[INET6_ADDRSTRLEN];
  napi_handle_scope scope;
  napi_open_handle_scope(list->env, &scope);
  napi_value entry;
  napi_create_object(list->env, &entry);
  inet_ntop(route->family, route->destination, destination, sizeof destination);
  set_text(list->env, entry, "destination", destination);
  set_number(list->env, entry, "prefix", route->prefix);
  set_number(list->env, entry, "type", route->type);
  set_number(list->env, entry, "table", route->table);
  set_text(list->env, entry, "device", route->device);
  napi_set_element(list->env, list->array, list->length++, entry);
  napi_close_handle_scope(list->env, scope);
}

// routes(netns): [{destination, prefix, type, table, device}]
static napi_value list_routes(napi_env env, napi_callback_info info) {
  napi_value argument;
  char netns[TEXT];
  if (!get_arguments(env, info, 1, &argument) || !get_text(env, argument, netns)) {
    return throw_arguments(env);
  }
  struct route_list list = {.env = env};
  struct failure failure;
  napi_create_array(env, &list.array);
  if (!interface_routes(netns[0] == '\0' ? NULL : netns, add_route, &list, &failure)) {
    return throw_failure(env, &failure);
  }
  return list.array;
}

// persist(handle): the interface stays when the handle is closed.
static napi_value persist(napi_env env, napi_callback_info info) {
  napi_value argument;
  struct device *device;
  if (!get_arguments(env, info, 1, &argument) || (device = get_device(env, argument)) == NULL) {
    return throw_arguments(env);
  }
  if (ioctl(device->tun.fd, TUNSETPERSIST, 1) == 0) return NULL;
  struct failure failure;
  fail(&failure, "TUNSETPERSIST", "TUN device");
  return throw_failure(env, &failure);
}

// --- other programs ---

static void free_texts(char **texts) {
  for (size_t i = 0; texts != NULL && texts[i] != NULL; i++) free(texts[i]);
  free(texts);
}

// Ends with a NULL, as execve(2) wants it; NULL where it is no array of texts.
static char **get_texts(napi_env env, napi_value list) {
  uint32_t count;
  if (napi_get_array_length(env, list, &count) != napi_ok) return NULL;
  char **texts = calloc((size_t)count + 1, sizeof *texts);
  for (uint32_t i = 0; texts != NULL && i < count; i++) {
    napi_value entry;
    size_t length;
    bool known = napi_get_element(env, list, i, &entry) == napi_ok &&
        napi_get_value_string_utf8(env, entry, NULL, 0, &length) == napi_ok &&
        (texts[i] = malloc(length + 1)) != NULL;
    if (known) {
      napi_get_value_string_utf8(env, entry, texts[i], length + 1, NULL);
      continue;
    }
    free_texts(texts);
    return NULL;
  }
  return texts;
}

// start(argv, environment, user, network, descriptors, lastSignal): exit code. Blocks until the end.
static napi_value start_program(napi_env env, napi_callback_info info) {
  napi_value arguments[6], result;
  char user[TEXT], network[TEXT];
  napi_typedarray_type type;
  void *kept;
  struct start start = {.user = user, .network = network};
  if (!get_arguments(env, info, 6, arguments) || !get_text(env, arguments[2], user) ||
      !get_text(env, arguments[3], network) ||
      napi_get_typedarray_info(env, arguments[4], &type, &start.kept_count, &kept, NULL, NULL) !=
          napi_ok || type != napi_int32_array ||
      napi_get_value_int32(env, arguments[5], &start.last_signal) != napi_ok) {
    return throw_arguments(env);
  }
  struct failure failure;
  start.kept = kept;
  start.argv = get_texts(env, arguments[0]);
  start.envp = get_texts(env, arguments[1]);
  bool complete = start.argv != NULL && start.envp != NULL;
  int code = complete ? enclosure_run(&start, &failure) : -1;
  free_texts(start.argv);
  free_texts(start.envp);
  if (!complete) return throw_arguments(env);
  if (code < 0) return throw_failure(env, &failure);
  napi_create_int32(env, code, &result);
  return result;
}

// listen(address, port): a descriptor.
static napi_value listen_at(napi_env env, napi_callback_info info) {
  napi_value arguments[2], result;
  char address[TEXT];
  int32_t port;
  struct failure failure;
  if (!get_arguments(env, info, 2, arguments) || !get_text(env, arguments[0], address) ||
      napi_get_value_int32(env, arguments[1], &port) != napi_ok) {
    return throw_arguments(env);
  }
  int fd = enclosure_listen(address, port, &failure);
  if (fd < 0) return throw_failure(env, &failure);
  napi_create_int32(env, fd, &result);
  return result;
}

// abort(descriptor): its connection is reset when it is closed.
static napi_value abort_at_close(napi_env env, napi_callback_info info) {
  napi_value argument;
  int32_t fd;
  if (!get_arguments(env, info, 1, &argument) ||
      napi_get_value_int32(env, argument, &fd) != napi_ok || fd < 0) {
    return throw_arguments(env);
  }
  enclosure_reset(fd);  // a socket that has failed is as good as reset
  return NULL;
}

// --- attached ---

static void call(struct device *device, napi_ref callback, size_t count, int32_t argument) {
  napi_env env = device->env;
  napi_handle_scope scope;
  if (napi_open_handle_scope(env, &scope) != napi_ok) return;
  napi_value receiver, function, value;
  bool thrown = false;
  napi_get_global(env, &receiver);
  napi_get_reference_value(env, callback, &function);
  napi_create_int32(env, argument, &value);
  // As any callback of the event loop: ticks and microtasks run when it returns.
  napi_make_callback(env, device->context, receiver, function, count, &value, NULL);
  napi_is_exception_pending(env, &thrown);
  if (thrown && napi_get_and_clear_last_exception(env, &value) == napi_ok) {
    napi_fatal_exception(env, value);
  }
  napi_close_handle_scope(env, scope);
}

static void on_receive(struct tun *tun, int count) {
  call((struct device *)tun, ((struct device *)tun)->on_receive, 1, count);
}

static void on_settled(struct tun *tun) {
  call((struct device *)tun, ((struct device *)tun)->on_settled, 0, 0);
}

static void on_status(struct tun *tun, int error) {
  call((struct device *)tun, ((struct device *)tun)->on_status, 1, error);
}

static bool get_array(napi_env env, napi_value value, napi_typedarray_type wanted, void **data,
                      size_t *length) {
  napi_typedarray_type type;
  return napi_get_typedarray_info(env, value, &type, length, data, NULL, NULL) == napi_ok &&
      type == wanted;
}

// Every slot must lie within the memory, and have a receive descriptor.
static bool set_slots(struct tun *tun, const int32_t *slots, size_t count, int64_t bytes,
                      size_t rx_length) {
  if (count == 0 || bytes <= 0 || rx_length / RX_STRIDE < count) return false;
  for (size_t i = 0; i < count; i++) {
    size_t offset = (uint32_t)slots[i];
    if (offset > tun->memory_length || (size_t)bytes > tun->memory_length - offset) return false;
  }
  tun->slots = malloc(count * sizeof *slots);
  if (tun->slots == NULL) return false;
  memcpy(tun->slots, slots, count * sizeof *slots);
  tun->slot_count = count;
  tun->slot_bytes = (size_t)bytes;
  return true;
}

static bool get_tables(struct device *device, const napi_value *arguments) {
  napi_env env = device->env;
  struct tun *tun = &device->tun;
  void *memory, *slots, *rx, *tx, *counters, *control;
  size_t slot_count, rx_length, tx_length, counter_count, control_count;
  int64_t slot_bytes;
  if (napi_get_arraybuffer_info(env, arguments[1], &memory, &tun->memory_length) != napi_ok ||
      !get_array(env, arguments[2], napi_int32_array, &slots, &slot_count) ||
      napi_get_value_int64(env, arguments[3], &slot_bytes) != napi_ok ||
      !get_array(env, arguments[4], napi_int32_array, &rx, &rx_length) ||
      !get_array(env, arguments[5], napi_int32_array, &tx, &tx_length) ||
      !get_array(env, arguments[6], napi_float64_array, &counters, &counter_count) ||
      counter_count < COUNTERS ||
      !get_array(env, arguments[7], napi_int32_array, &control, &control_count) ||
      control_count < CONTROL_WORDS || !set_slots(tun, slots, slot_count, slot_bytes, rx_length)) {
    return false;
  }
  tun->memory = memory;
  tun->rx = rx;
  tun->tx = tx;
  tun->tx_count = tx_length / TX_STRIDE;
  tun->counters = counters;
  tun->control = control;
  return true;
}

static void keep(struct device *device, const napi_value *arguments) {
  napi_env env = device->env;
  napi_value name;
  napi_create_reference(env, arguments[1], 1, &device->memory);
  napi_create_reference(env, arguments[4], 1, &device->rx);
  napi_create_reference(env, arguments[5], 1, &device->tx);
  napi_create_reference(env, arguments[6], 1, &device->counters);
  napi_create_reference(env, arguments[7], 1, &device->control);
  napi_create_reference(env, arguments[8], 1, &device->on_receive);
  napi_create_reference(env, arguments[9], 1, &device->on_settled);
  napi_create_reference(env, arguments[10], 1, &device->on_status);
  napi_create_string_utf8(env, "finwait:tun", NAPI_AUTO_LENGTH, &name);
  napi_async_init(env, NULL, name, &device->context);
  napi_add_async_cleanup_hook(env, on_teardown, device, &device->cleanup);
}

static bool are_functions(napi_env env, const napi_value *values, size_t count) {
  napi_valuetype type;
  for (size_t i = 0; i < count; i++) {
    if (napi_typeof(env, values[i], &type) != napi_ok || type != napi_function) return false;
  }
  return true;
}

// attach(handle, memory, rxSlots, rxSlotBytes, rx, tx, counters, control, onReceive, onSettled,
//        onStatus, spin)
static napi_value attach(napi_env env, napi_callback_info info) {
  napi_value arguments[12];
  struct device *device;
  int64_t spin_us;
  if (!get_arguments(env, info, 12, arguments) ||
      (device = get_device(env, arguments[0])) == NULL || device->tun.closing ||
      device->tun.slots != NULL || !are_functions(env, arguments + 8, 3) ||
      napi_get_value_int64(env, arguments[11], &spin_us) != napi_ok || spin_us < 0 ||
      spin_us > MAX_SPIN_US || !get_tables(device, arguments)) {
    return throw_arguments(env);
  }
  device->tun.spin_ns = (uint64_t)spin_us * 1000;
  uv_loop_t *loop;
  napi_get_uv_event_loop(env, &loop);
  device->tun.on_receive = on_receive;
  device->tun.on_settled = on_settled;
  device->tun.on_status = on_status;
  device->tun.on_closed = on_closed;
  int error = tun_attach(&device->tun, loop);
  if (device->tun.handles > 0) {
    device->holders++;
    keep(device, arguments);
  }
  if (error == 0) return NULL;
  close_device(device);
  struct failure failure = {.error = error, .step = "uv_poll_init", .subject = "TUN device"};
  return throw_failure(env, &failure);
}

// transmit(handle, count)
static napi_value transmit(napi_env env, napi_callback_info info) {
  napi_value arguments[2];
  struct device *device;
  int32_t count;
  if (!get_arguments(env, info, 2, arguments) ||
      (device = get_device(env, arguments[0])) == NULL ||
      napi_get_value_int32(env, arguments[1], &count) != napi_ok) {
    return throw_arguments(env);
  }
  if (count > 0 && !device->tun.closing) tun_transmit(&device->tun, (size_t)count);
  return NULL;
}

// receive(handle, milliseconds)
static napi_value receive_now(napi_env env, napi_callback_info info) {
  napi_value arguments[2];
  struct device *device;
  int32_t milliseconds;
  if (!get_arguments(env, info, 2, arguments) ||
      (device = get_device(env, arguments[0])) == NULL ||
      napi_get_value_int32(env, arguments[1], &milliseconds) != napi_ok) {
    return throw_arguments(env);
  }
  if (!device->tun.closing) tun_receive(&device->tun, milliseconds);
  return NULL;
}

// reference(handle, keepsAlive)
static napi_value reference(napi_env env, napi_callback_info info) {
  napi_value arguments[2];
  struct device *device;
  bool keeps_alive;
  if (!get_arguments(env, info, 2, arguments) ||
      (device = get_device(env, arguments[0])) == NULL ||
      napi_get_value_bool(env, arguments[1], &keeps_alive) != napi_ok) {
    return throw_arguments(env);
  }
  if (!device->tun.closing) tun_ref(&device->tun, keeps_alive);
  return NULL;
}

// close(handle)
static napi_value close_handle(napi_env env, napi_callback_info info) {
  napi_value argument;
  struct device *device;
  if (!get_arguments(env, info, 1, &argument) || (device = get_device(env, argument)) == NULL) {
    return throw_arguments(env);
  }
  close_device(device);
  return NULL;
}

// Each chunk that a socket gives to the program is a fresh Buffer of 64 KiB, soon garbage. By default
// glibc hands such memory back to the kernel at once, and page faults then cost more than the copy.
static void keep_freed_memory(void) {
#ifdef __GLIBC__
  mallopt(M_TRIM_THRESHOLD, HEAP_KEPT);
  mallopt(M_MMAP_THRESHOLD, 4 << 20);
#endif
}

NAPI_MODULE_INIT() {
  keep_freed_memory();
  const struct { const char *name; napi_callback function; } functions[] = {
      {"open", open_device}, {"adopt", adopt_descriptor}, {"routes", list_routes},
      {"attach", attach},    {"transmit", transmit},      {"receive", receive_now},
      {"reference", reference},
      {"close", close_handle}, {"persist", persist}, {"start", start_program},
      {"listen", listen_at},   {"abort", abort_at_close},
  };
  for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
    napi_value function;
    napi_create_function(env, functions[i].name, NAPI_AUTO_LENGTH, functions[i].function, NULL,
                         &function);
    napi_set_named_property(env, exports, functions[i].name, function);
  }
  return exports;
}
