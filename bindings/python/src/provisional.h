#pragma once
#include <muster/muster.h>
#define RAW(call, ...) const void *b; size_t n; muster_error_t e = muster_writer_bytes (w, &b, &n); return e ? e : call
static inline muster_error_t muster_worker_send_writer (muster_worker_t *s, const char *cmd, muster_writer_t *w) { RAW (muster_worker_send_raw (s, cmd, b, n)); }
static inline muster_error_t muster_worker_try_send_writer (muster_worker_t *s, const char *cmd, muster_writer_t *w) { RAW (muster_worker_try_send_raw (s, cmd, b, n)); }
static inline muster_error_t muster_listener_send_writer (muster_listener_t *s, const char *source, const char *cmd, muster_writer_t *w) { RAW (muster_listener_send_raw (s, source, cmd, b, n)); }
static inline muster_error_t muster_listener_broadcast_writer (muster_listener_t *s, char ***sources, size_t *sent, const char *cmd, muster_writer_t *w) { muster_listener_workers (s, sources, NULL); RAW (muster_listener_broadcast_raw (s, sent, cmd, b, n)); }
static inline muster_error_t muster_ask_send_writer (muster_ask_t *s, const char *cmd, muster_writer_t *w) { RAW (muster_ask_send_raw (s, cmd, b, n)); }
