/*
 * Heartwire: a WebSocket connection (RFC 6455) that stays alive by itself.
 *
 * This header is the whole C interface and its reference manual.
 *
 * A program fills an hw_config, opens an hw_connection and gets messages and events through callbacks or an hw_inbox. The library
 * sends heartbeats, answers the server's, notices silence, reconnects and queues what is sent meanwhile, on threads of its own that
 * never wait for the host program.
 *
 * Conventions
 *   Handles      An hw_config, hw_connection or hw_inbox is a token that the library checks and never dereferences. NULL, a released
 *                handle, a foreign pointer: every function answers HW_E_HANDLE. After fork() the child's copies answer HW_E_FORKED;
 *                the child may open connections of its own.
 *   Threads      Every function may be called from any thread, and from inside any callback unless its comment says otherwise.
 *   Blocking     A function blocks only where its comment says so.
 *   Ownership    "copied": the library keeps its own copy. "borrowed until ...": valid until then, not to be freed. "static": valid
 *                for the life of the process.
 *   Results      Fallible functions return an hw_status, HW_OK (0) or a negative HW_E_... value. On failure nothing is written to
 *                outputs other than the hw_error. Every hw_error parameter may be NULL.
 *   Strings      In parameters NUL-terminated UTF-8; in delivered structs a pointer and a size in bytes, not terminated.
 *   Times        _ms and _ns are durations or CLOCK_MONOTONIC readings in milliseconds or nanoseconds.
 *   Structs      Those that begin with struct_size grow at their end in later versions. A caller that has the library fill one sets
 *                struct_size = sizeof the struct first; the library writes no more than that. hw_message and hw_delivery come in
 *                arrays and never change.
 */
#ifndef HEARTWIRE_H
#define HEARTWIRE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Version ------------------------------------------------------------------------------------------------------------------ */

/* The version of this header, 0xMMmmpp00: major, minor, patch. */
#define HW_VERSION 0x00010000u

/* The version of the loaded library, in the form of HW_VERSION. */
uint32_t hw_version(void);

/* ---- Statuses ----------------------------------------------------------------------------------------------------------------- */

/* Result of a call, or the reason in an hw_error or hw_event. The numbers never change; new ones may join their band. */
typedef int32_t hw_status;
enum {
    HW_OK = 0,

    /* Arguments and handles */
    HW_E_ARGUMENT = -1, /* An argument is NULL or out of its range. */
    HW_E_HANDLE = -2,   /* Not a live handle of the expected kind. */
    HW_E_FORKED = -3,   /* The handle was made before fork(), in the parent process. */
    HW_E_RANGE = -4,    /* An index lies past the end of a list. */
    HW_E_BUFFER = -5,   /* The caller's buffer is too small; the needed size was written. */

    /* State */
    HW_E_STATE = -20,      /* The connection is closing, disconnected or failed. */
    HW_E_TIMEOUT = -21,    /* The time given to this call ran out. */
    HW_E_IN_CALLBACK = -22, /* The call would wait for the callback that it is made from. */
    HW_E_SEND_FORBIDDEN = -23, /* The heartbeat rules say that this service closes on anything that is sent to it. */
    HW_E_NOT_CONNECTED = -24, /* The message was to be sent now or not at all (HW_SEND_NOW), and there is no connection that takes it. */

    /* Limits */
    HW_E_FULL = -40,      /* The outbound queue is full; an HW_EVENT_WRITABLE will follow. Not after hw_connection_keep found the kept
                             messages to be too many: their room comes back only when one is removed. */
    HW_E_TOO_LARGE = -41, /* The message can never fit: larger than queue.bytes_max, or than a protocol limit. */

    /* Configuration */
    HW_E_PROPERTY = -60, /* No property has this name. */
    HW_E_VALUE = -61,    /* The property does not take this value. */
    HW_E_CONFLICT = -62, /* Two properties contradict each other, or one lacks its companion. */
    HW_E_URL = -63,      /* The URL is malformed or its scheme is not ws or wss. */
    HW_E_HEADER = -64,   /* A header field's name or value is not allowed. */
    HW_E_RULE = -65,     /* A heartbeat rule is malformed; the text names the member and says what would be right. */
    HW_E_PRESET = -66,   /* No preset has this name; the text suggests the nearest. */
    HW_E_STEP = -67,     /* A step of the opening script is malformed; the text names the member and says what would be right. */

    /* Resolving and connecting */
    HW_E_RESOLVE = -80,         /* The host name could not be resolved. */
    HW_E_CONNECT = -81,         /* No address of the host accepted the connection. */
    HW_E_CONNECT_TIMEOUT = -82, /* connect.timeout ran out; the text says on what. */
    HW_E_CONNECTION_LOST = -83, /* The transport ended or broke without a close handshake (RFC 6455 section 7.1.5: code 1006). */
    HW_E_PROXY = -84,           /* The proxy could not be reached or did not open the way; layer and http_status say more. */
    HW_E_BEFORE_CONNECT = -85,  /* What was asked before the attempt (hw_config_before_connect) gave no answer in time, or refused. */

    /* TLS */
    HW_E_TLS = -100,         /* The TLS handshake or a TLS record failed; final if the server does not accept the client's certificate, or
                                speaks no version from tls.version_min on. */
    HW_E_CERTIFICATE = -101, /* The server's certificate did not pass verification, or fits no pin; the text says why. Final. */
    HW_E_TRUST_STORE = -102, /* No trusted CA certificates could be loaded. */

    /* Opening handshake and HTTP */
    HW_E_HANDSHAKE = -120,   /* The answer is not a valid opening handshake (RFC 6455 section 4.1). Final, but for a connection that has
                                been open before: something else may answer in the server's place for a while. */
    HW_E_HTTP_STATUS = -121, /* The server answered with an HTTP status other than 101. 408, 425, 429 and 5xx may pass, so the attempt
                                is repeated; any other is final (reconnect.retry_codes and reconnect.final_codes change that). */
    HW_E_SCRIPT = -122,      /* What the opening script expects did not come in time; the text names the step. Counts as a failed attempt.
                                */

    /* Protocol */
    HW_E_PROTOCOL = -140,          /* The server broke RFC 6455 or 7692; the connection was closed with 1002 or 1007. */
    HW_E_UTF8 = -141,              /* A text message or close reason was not UTF-8; closed with 1007. */
    HW_E_MESSAGE_TOO_LARGE = -142, /* A message exceeded message.bytes_max, or a frame frame.bytes_max; closed with 1009. */
    HW_E_CLOSED_BY_PEER = -143,    /* The server closed the connection; close_code and the text say why. 1002, 1003, 1007, 1008 and 1010
                                      are final (reconnect.retry_codes and reconnect.final_codes change that). */

    /* Heartbeat */
    HW_E_HEARTBEAT = -160, /* Heartbeats failed: pings or beats unanswered, answers late, the server silent, or no answer to the probe that
                              follows a suspension or a change of the network, within ping.timeout or 5 s; the text says which. */

    /* Delivery */
    HW_E_SLOW_CONSUMER = -170, /* The inbox was full and inbox.overflow is "close". */

    /* System */
    HW_E_SYSTEM = -180 /* The operating system refused something (descriptors, memory, threads); native_code has the errno. */
};

/* The constant's name, such as "HW_E_TIMEOUT"; "HW_E_UNKNOWN" for a value that is none. Static, never NULL. */
const char *hw_status_name(hw_status status);

/* Where an error arose. */
typedef int32_t hw_layer;
enum {
    HW_LAYER_NONE = 0,
    HW_LAYER_CONFIGURATION = 1,
    HW_LAYER_RESOLVER = 2,
    HW_LAYER_TCP = 3,
    HW_LAYER_TLS = 4,
    HW_LAYER_HTTP = 5,
    HW_LAYER_WEBSOCKET = 6,
    HW_LAYER_HEARTBEAT = 7,
    HW_LAYER_DELIVERY = 8,
    HW_LAYER_SYSTEM = 9,
    HW_LAYER_PROXY = 10
};

/* What went wrong, in detail. Set struct_size before the call; written on failure only. */
typedef struct hw_error {
    uint32_t struct_size;
    hw_status status;
    hw_layer layer;
    int32_t native_code; /* errno, getaddrinfo's code, X509_V_ERR_... for HW_E_CERTIFICATE, or a SOCKS5 reply; 0 if none */
    int32_t http_status; /* of HW_E_HTTP_STATUS and HW_E_PROXY, else 0 */
    int32_t close_code;  /* WebSocket close code, 0 if none */
    int32_t retryable;   /* 1 if the same call or connection attempt may succeed later, else 0 */
    char message[256];   /* a NUL-terminated sentence: what happened and what to do; cut at 255 bytes */
} hw_error;

/* ---- Handles ------------------------------------------------------------------------------------------------------------------ */

typedef struct hw_config hw_config;
typedef struct hw_connection hw_connection;
typedef struct hw_inbox hw_inbox;
typedef struct hw_listener hw_listener;

/* ---- Messages and events ------------------------------------------------------------------------------------------------------ */

/* The kind of a message (RFC 6455 section 5.6). */
typedef uint32_t hw_kind;
enum {
    HW_TEXT = 1,  /* valid UTF-8, checked by the library on receipt */
    HW_BINARY = 2
};

/*
 * Flags of a received message. With the property message.part_bytes a large message comes in parts as it arrives, in order, with no
 * other message of its connection between: all but the last have HW_MESSAGE_MORE, all but the first HW_MESSAGE_CONTINUED. Text is cut
 * between code points; the last part may be empty. If the connection ends inside a message, no further part of it follows.
 */
enum {
    HW_MESSAGE_MORE = 1,
    HW_MESSAGE_CONTINUED = 2
};

/* One received message, or a part of one. */
typedef struct hw_message {
    hw_kind kind;
    uint32_t flags;       /* 0 for a whole message; HW_MESSAGE_... */
    const uint8_t *data;  /* size bytes, not terminated; never NULL */
    size_t size;
    uint64_t received_ns; /* CLOCK_MONOTONIC when its last bytes were read from the socket */
    uint64_t epoch;       /* which connection carried it: 1 for the first one established, one more after each reconnection */
} hw_message;

/* The state of a managed connection. Each change is an HW_EVENT_STATE. */
typedef int32_t hw_state;
enum {
    HW_STATE_DISCONNECTED = 0, /* closed as asked, or by the server with reconnect.enabled off; final */
    HW_STATE_CONNECTING = 1,   /* the first attempt is under way */
    HW_STATE_CONNECTED = 2,    /* open: messages flow */
    HW_STATE_RECONNECTING = 3, /* waiting for the next attempt, or in it */
    HW_STATE_CLOSING = 4,      /* hw_connection_close was called; what is queued is sent, and the close handshake is under way */
    HW_STATE_FAILED = 5        /* given up: the reason would not go away, or the attempts are used up; final */
};

/* What an hw_event reports, and which of its fields mean something; every other field is 0 or NULL. */
typedef int32_t hw_event_kind;
enum {
    HW_EVENT_STATE = 1,          /* state, previous_state; on RECONNECTING and FAILED also the error fields, text and body, and on
                                    RECONNECTING delay_ms until the next attempt */
    HW_EVENT_OPENED = 2,         /* The opening handshake is done: epoch, compressed, resumed; text: the agreed subprotocol, or
                                    empty */
    HW_EVENT_CLOSED = 3,         /* An established connection ended: epoch, status, close_code (1005 none given, 1006 no close
                                    frame), by_peer, text: the close reason or what happened */
    HW_EVENT_ATTEMPT_FAILED = 4, /* attempt, delay_ms until the next (0: there is none), error fields, text; for HW_E_HTTP_STATUS
                                    also body: the first bytes of the answer, and retry_after_ms */
    HW_EVENT_BEAT_MISSED = 5,    /* A beat of ours was not acknowledged in time: rule, text ("ping", "beat 0"), count in a row. A ping
                                    counts
                                    as missed if nothing else arrived within ping.timeout either */
    HW_EVENT_WRITABLE = 6,       /* After an HW_E_FULL the outbound queue has fallen below half, and what was refused has room */
    HW_EVENT_SLOW_CONSUMER = 7,  /* The inbox reached its limit: count 0 when reading paused (overflow "pause"), else the number
                                    of messages dropped since the last such event */
    HW_EVENT_RELEASED = 8,       /* The last callback or delivery for this handle; free what its context refers to here */
    HW_EVENT_WARNING = 9,        /* text: what is insecure or missing though it was asked for. With tls.verify "false", before
                                    anything is said to the server, on every connection; once if there is no zlib for compression */

    /* Heartbeats. rule: which rule of its kind, counted from 0, -1 for what is none; text names it ("ping", "reply 0", "watch 1",
       "beat 0", "detector"). Rules of one's own are counted first, in the order they were added, then the preset's, then
       heartbeat.interval's beat. While nobody takes them, RECEIVED, RESPONDED, SENT and ACKED beyond 16,384 waiting events are left
       out. body: where a message is the evidence, its first bytes, at most 128. */
    HW_EVENT_HEARTBEAT_RECEIVED = 10,  /* The server's: a ping, a request that a rule answers, or what a watch expects */
    HW_EVENT_HEARTBEAT_RESPONDED = 11, /* Our answer was handed to the kernel: latency_ns since its request arrived, level */
    HW_EVENT_HEARTBEAT_TIMEOUT = 12,   /* What a watch expects did not come: rule, text, count of intervals in silence */
    HW_EVENT_HEARTBEAT_FAILURE = 13,   /* An answer was late beyond response.timeout, could not be written or made, or the detector
                                          failed: text says which; count in a row, missed beats included */
    HW_EVENT_BEAT_SENT = 14,           /* A ping or beat of ours was handed to the kernel; body: its payload */
    HW_EVENT_BEAT_ACKED = 15,          /* It was acknowledged: latency_ns is the round trip; late is 1 if it had been missed */
    HW_EVENT_ENGINE_STARTED = 16,      /* Heartbeats of a new connection begin; text: the preset's name, or empty */
    HW_EVENT_ENGINE_STOPPED = 17,      /* They have ended, with the connection or because it is closing */
    HW_EVENT_HEALTH = 18,              /* level, previous_level: an hw_health_level */
    HW_EVENT_QUALITY = 19,             /* level, previous_level: an hw_quality; latency_ns: the mean round trip */
    HW_EVENT_RESPONSE_LEVEL = 20,      /* An answer crossed a limit: level, previous_level (hw_response_level), latency_ns */
    HW_EVENT_RECONNECT_ADVISED = 21,   /* The service asks for a new connection, or this one has reached the age it allows; text: the URL
                                          that the message names, or empty. What follows is rotate.on_notice's to say */

    /* The connection's life */
    HW_EVENT_GAP = 22,          /* Connected again after a loss, the opening script done: began_ns and latency_ns, how long;
                                   last_message_ns;
                                   count: own messages whose arrival at the server is in doubt, being handed to the kernel after the last
                                   ping or beat that the server acknowledged. Nothing in doubt is sent again. Not in doubt is not
                                   processed: a pong proves that the peer's WebSocket layer, perhaps a gateway's, has received the bytes
                                   before it, not that an application has worked on them; only an answer of its own can say that */
    HW_EVENT_ROTATION = 23,     /* level: an hw_rotation; epoch: the connection it speaks of; error fields and text on HW_ROTATION_FAILED;
                                   count, on HW_ROTATION_FINISHED: messages sent on the old connection whose arrival is in doubt, as in
                                   HW_EVENT_GAP; 0 if the server answered its close frame */
    HW_EVENT_CIRCUIT = 24,      /* level, previous_level: an hw_circuit, as this connection found it; text: the host and port; delay_ms: how
                                   long the circuit stays open */
    HW_EVENT_OUTCOME = 25,      /* count messages, the first of them message_id, in unbroken order, came to an outcome: level, an
                                   hw_outcome.
                                   HW_OUTCOME_SENT only for messages sent with HW_SEND_REPORT. One that goes on where the one before ends
                                   joins it while that waits to be taken. While 16,384 events wait, outcomes are not told one by one:
                                   a single event with the level HW_OUTCOME_PENDING spans the messages concerned, and others between,
                                   which are to be asked about with hw_connection_outcome */
    HW_EVENT_CONNECT_DUE = 26,  /* Before an attempt, if hw_config_before_connect asks for it: attempt, attempt_id for
                                   hw_connection_proceed,
                                   delay_ms until the answer is too late; text: the URL */
    HW_EVENT_ATTEMPT_HELD = 27, /* The next attempt is held back for delay_ms by the open circuit (level 1) or the host's budget (level 0)
                                   */

    /* A listener's clients */
    HW_EVENT_ACCEPT_DUE = 28    /* A client asks for a connection, if hw_config_before_accept asks for it: attempt_id for
                                   hw_connection_accept, delay_ms until the answer is too late; text: path and query; body: the request's
                                   header fields, a line with CRLF each */
};

/* How far a rotation is: events HW_EVENT_ROTATION. */
typedef int32_t hw_rotation;
enum {
    HW_ROTATION_STARTED = 1,  /* The new connection is being opened while the old one still delivers. */
    HW_ROTATION_SWITCHED = 2, /* What is sent from now on goes by the new connection. */
    HW_ROTATION_FINISHED = 3, /* The old connection is closed. */
    HW_ROTATION_FAILED = 4    /* No new connection; the old one stays, if it was not lost. Unless the failure is final the next try
                                 follows with the delays of reconnecting; after a final one the next rotation is rotate.after from then. */
};

/* Whether attempts to a host are made: events HW_EVENT_CIRCUIT. One circuit for each host and port, shared by all connections. */
typedef int32_t hw_circuit;
enum {
    HW_CIRCUIT_CLOSED = 0,   /* Attempts are made. */
    HW_CIRCUIT_OPEN = 1,     /* Too many have failed: none is made for circuit.open_for. */
    HW_CIRCUIT_HALF_OPEN = 2 /* One connection tries; what becomes of it decides for all. */
};

/* What became of a message: hw_connection_outcome, events HW_EVENT_OUTCOME. */
typedef int32_t hw_outcome;
enum {
    HW_OUTCOME_PENDING = 0,  /* It waits, or is being written. */
    HW_OUTCOME_SENT = 1,     /* All its bytes were handed to the kernel; whether they arrived only the server can say. */
    HW_OUTCOME_EXPIRED = 2,  /* Its time to live ran out before its first byte was written. */
    HW_OUTCOME_DROPPED = 3,  /* It gave way to a newer one (queue.overflow), or was to be sent now (HW_SEND_NOW) and the connection broke.
                                */
    HW_OUTCOME_CANCELLED = 4 /* hw_connection_cancel, or the connection ended for good before it was sent. */
};

/* Whether what is expected from the server comes: events HW_EVENT_HEALTH. */
typedef int32_t hw_health_level;
enum {
    HW_HEALTH_UNKNOWN = 0, /* nothing was expected or has come yet */
    HW_HEALTH_ERROR = 1,   /* silent for health.error_intervals, or as many beats missed in a row */
    HW_HEALTH_WARNING = 2, /* silent for health.warning_intervals */
    HW_HEALTH_HEALTHY = 3
};

/* What the last round trips say: events HW_EVENT_QUALITY. The limits are properties ("quality.excellent_mean", ...). */
typedef int32_t hw_quality;
enum {
    HW_QUALITY_UNKNOWN = 0, /* fewer than three round trips */
    HW_QUALITY_POOR = 1,
    HW_QUALITY_FAIR = 2,
    HW_QUALITY_GOOD = 3,
    HW_QUALITY_EXCELLENT = 4
};

/* How long an answer to the server took, from its arrival to the kernel: events HW_EVENT_RESPONSE_LEVEL. */
typedef int32_t hw_response_level;
enum {
    HW_RESPONSE_ON_TARGET = 0, /* within response.target */
    HW_RESPONSE_SLOW = 1,      /* beyond it */
    HW_RESPONSE_WARNING = 2,   /* beyond response.warning */
    HW_RESPONSE_CRITICAL = 3,  /* beyond response.critical */
    HW_RESPONSE_OVERDUE = 4    /* beyond response.timeout: counts as failure */
};

/* One event. Borrowed like the messages it comes among. */
typedef struct hw_event {
    uint32_t struct_size;
    hw_event_kind kind;
    uint64_t time_ns; /* CLOCK_MONOTONIC */
    uint64_t epoch;   /* as in hw_message; 0 before the first connection */
    hw_state state;   /* the connection's state after the event */
    hw_state previous_state;
    hw_status status; /* HW_OK, or why */
    hw_layer layer;
    int32_t native_code;
    int32_t http_status;
    int32_t close_code;
    int32_t retryable; /* as in hw_error, whether or not an attempt follows */
    int32_t by_peer;   /* 1 if the server began the close handshake */
    uint32_t attempt;  /* 1 for the first attempt since the last established connection */
    uint64_t delay_ms;
    uint64_t count;
    const char *text;  /* text_size bytes, not terminated; never NULL */
    size_t text_size;
    const uint8_t *body;
    size_t body_size;
    int32_t compressed; /* 1 if permessage-deflate was agreed on */
    int32_t resumed;    /* 1 if TLS resumed the session of this handle's last connection; with a listener's client, of an earlier one */
    uint64_t retry_after_ms; /* of HW_E_HTTP_STATUS: how long the server asks to be left alone (Retry-After); 0 if it does not */
    uint64_t latency_ns;     /* of heartbeats: from arrival to the kernel, or a round trip */
    int32_t level;           /* by kind: hw_health_level, hw_quality, hw_response_level, hw_rotation, hw_circuit or hw_outcome */
    int32_t previous_level;
    int32_t late;            /* 1 for an acknowledgement after its deadline */
    int32_t rule;            /* which rule of its kind a heartbeat belongs to, counted from 0; -1: none */
    uint64_t message_id;      /* as hw_connection_send gave it */
    uint64_t attempt_id;      /* for hw_connection_proceed */
    uint64_t began_ns;        /* CLOCK_MONOTONIC: when a gap began */
    uint64_t last_message_ns; /* CLOCK_MONOTONIC: when the last message before a gap was received; 0 if none was */
} hw_event;

/*
 * Receives messages, oldest first, at least one. The array and all data are borrowed until the callback returns. context is what
 * was given with the callback. By default it runs on the library's dispatcher thread and may block: heartbeats go on, the
 * connection's inbox takes the strain. With delivery "inline" it runs on the I/O thread and must not block.
 */
typedef void (*hw_messages_callback)(hw_connection *connection, const hw_message *messages, size_t count, void *context);

/* Receives one event, in order with the messages. Thread and lifetime as for hw_messages_callback. */
typedef void (*hw_event_callback)(hw_connection *connection, const hw_event *event, void *context);

/* ---- Configuration ------------------------------------------------------------------------------------------------------------ */

/* How a property's value is written. */
typedef int32_t hw_property_type;
enum {
    HW_PROPERTY_BOOLEAN = 1,  /* "true" or "false" */
    HW_PROPERTY_INTEGER = 2,  /* decimal digits */
    HW_PROPERTY_DURATION = 3, /* digits and a unit: "250ms", "20s", "5m", "24h"; "0" alone */
    HW_PROPERTY_SIZE = 4,     /* bytes, or digits and a unit: "64KiB", "16MiB", "1GiB" */
    HW_PROPERTY_CHOICE = 5,   /* one of the words in range */
    HW_PROPERTY_TEXT = 6,     /* UTF-8 text */
    HW_PROPERTY_BYTES = 7     /* any bytes, set with hw_config_set_bytes */
};

/* The description of one property. All strings are static and never NULL. */
typedef struct hw_property {
    uint32_t struct_size;
    hw_property_type type;
    const char *name;
    const char *default_value; /* as hw_config_set would take it; empty if unset by default */
    const char *range;         /* such as "100ms .. 24h" or "pause | drop_oldest | drop_newest | close"; empty if any */
    const char *unit;          /* of the value: "duration", "bytes", "messages", ...; empty if none */
    const char *since;         /* the version that brought it, such as "0.1.0" */
    const char *doc;           /* one line */
} hw_property;

/* Makes a configuration with every property at its default. Free it with hw_config_free. HW_E_ARGUMENT: out is NULL. */
hw_status hw_config_new(hw_config **out);

/* Makes an independent copy, callbacks and inbox included. HW_E_ARGUMENT, HW_E_HANDLE. */
hw_status hw_config_copy(const hw_config *config, hw_config **out);

/* Frees a configuration; connections opened with it keep their own copy. NULL and stale handles are ignored. */
void hw_config_free(hw_config *config);

/*
 * Sets a property from text, "ping.interval" to "20s". value is copied. bindings list the properties with hw_config_describe; the
 * README has the table. What depends on more than one value, and what a list or a URL holds (proxy, basic_auth, tls.pins, subprotocols,
 * message.part_bytes, reconnect.final_codes, reconnect.retry_codes, rotate.duplicate_key), is checked by hw_connection_open.
 * HW_E_PROPERTY (the message suggests the nearest name), HW_E_VALUE (the message says the range), HW_E_ARGUMENT, HW_E_HANDLE.
 */
hw_status hw_config_set(hw_config *config, const char *name, const char *value, hw_error *error);

/* Sets a text or bytes property from size bytes, copied; data may be NULL if size is 0. Errors as hw_config_set. */
hw_status hw_config_set_bytes(hw_config *config, const char *name, const void *data, size_t size, hw_error *error);

/*
 * Reads a property as text (bytes properties as they are), in the form hw_config_set takes. Writes the size in bytes, without the
 * terminating NUL that follows the value, to *size (may be NULL). HW_E_BUFFER: capacity must be at least *size + 1; buffer may be
 * NULL if capacity is 0. HW_E_PROPERTY, HW_E_ARGUMENT, HW_E_HANDLE.
 */
hw_status hw_config_get(const hw_config *config, const char *name, char *buffer, size_t capacity, size_t *size);

/*
 * Describes the property at index, counted from 0. Set out->struct_size first. HW_E_RANGE ends the list. HW_E_ARGUMENT: out is NULL
 * or its struct_size is too small for a single field.
 */
hw_status hw_config_describe(size_t index, hw_property *out);

/* How one service keeps its connections alive. All strings are static and never NULL. */
typedef struct hw_preset {
    uint32_t struct_size;
    const char *name;       /* such as "deribit" */
    const char *services;   /* what it is for, one line */
    const char *source;     /* where the service's behaviour was read, one line */
    const char *rule;       /* JSON over several lines, as hw_config_add_rule takes it */
    const char *parameters; /* a line for each, "name (unit, required|optional): what it is"; empty if it has none */
} hw_preset;

/*
 * Describes the preset at index, counted from 0; the docs page Sources/Heartbeat/Presets/README.md is made from it. Set out->struct_size
 * first. HW_E_RANGE ends the list. HW_E_ARGUMENT: out is NULL or its struct_size is too small for a single field.
 */
hw_status hw_preset_describe(size_t index, hw_preset *out);

/*
 * Adds a header field to the opening handshake; both strings are copied, a name may be added twice. HW_E_HEADER: the name is not an
 * RFC 9110 token, the value holds a control character, or the field belongs to the handshake or its framing (Host, Upgrade, Connection,
 * Content-Length, Transfer-Encoding, TE, Trailer, Expect, Keep-Alive, Proxy-Connection, Proxy-Authorization, Sec-WebSocket-...;
 * subprotocols are the property "subprotocols", a proxy's user name stands in "proxy"). HW_E_TOO_LARGE: more than 64 fields or 32 KiB in
 * all. HW_E_ARGUMENT, HW_E_HANDLE.
 */
hw_status hw_config_add_header(hw_config *config, const char *name, const char *value, hw_error *error);

/* Sets the callback for messages; NULL takes it away (messages are then dropped on arrival). HW_E_HANDLE. */
hw_status hw_config_on_messages(hw_config *config, hw_messages_callback callback, void *context);

/* Sets the callback for events; NULL takes it away. HW_E_HANDLE. */
hw_status hw_config_on_event(hw_config *config, hw_event_callback callback, void *context);

/*
 * Has connections opened with this configuration deliver into inbox instead of callbacks; sets "delivery" to "inbox". One inbox may
 * serve many connections; context comes back in each hw_delivery and tells them apart. The inbox lives until it and all its
 * connections are released. HW_E_HANDLE: config or inbox.
 */
hw_status hw_config_set_inbox(hw_config *config, hw_inbox *inbox, void *context);

/*
 * Adds a heartbeat rule: size bytes of JSON text in the language of Sources/Heartbeat/Rules/README.md, copied and checked at once.
 * May be called several times; rules of one's own are tried before those of the property "preset", in the order they were added.
 * HW_E_RULE: error names the member by its JSON pointer and says what would be right. HW_E_TOO_LARGE: more than 16 rules or 256 KiB in
 * all. HW_E_ARGUMENT, HW_E_HANDLE.
 */
hw_status hw_config_add_rule(hw_config *config, const char *json, size_t size, hw_error *error);

/*
 * Adds a step to the opening script, which runs on every new connection before queued messages are sent: size bytes of JSON text, copied
 * and checked at once, in the language of Sources/Session/Opening/README.md: {"send": {...}} or {"expect": {...}, "timeout": "5s"}. After
 * the last step the kept messages follow, then what is queued. Received messages are delivered to the host all the same. An expectation
 * that is not met in time ends the connection and counts as a failed attempt, HW_E_SCRIPT.
 * HW_E_STEP: error names the member by its JSON pointer and says what would be right. HW_E_TOO_LARGE: more than 32 steps or 256 KiB in
 * all. HW_E_ARGUMENT, HW_E_HANDLE.
 */
hw_status hw_config_add_step(hw_config *config, const char *json, size_t size, hw_error *error);

/*
 * Has every attempt wait for an answer, such as fresh credentials. callback gets HW_EVENT_CONNECT_DUE where event callbacks run, and
 * answers with hw_connection_proceed, from inside or later from any thread. NULL: the event is delivered like any other; an inbox needs
 * that. No answer within before_connect.timeout is a failed attempt. HW_E_HANDLE.
 */
hw_status hw_config_before_connect(hw_config *config, hw_event_callback callback, void *context);

/*
 * Has every client of a listener wait for an answer before it is let in. callback gets HW_EVENT_ACCEPT_DUE where event callbacks run, and
 * answers with hw_connection_accept, from inside or later from any thread. NULL: the event is delivered like any other; an inbox needs
 * that. A client that is not let in within connect.timeout is cut off. HW_E_HANDLE.
 */
hw_status hw_config_before_accept(hw_config *config, hw_event_callback callback, void *context);

/* What a detector found. */
typedef int32_t hw_detection;
enum {
    HW_DETECT_FAILED = -1, /* The detector could not do its work: counted, and reported with HW_EVENT_HEARTBEAT_FAILURE. */
    HW_DETECT_NONE = 0,    /* Not a heartbeat request. */
    HW_DETECT_ANSWER = 1,  /* A request: the reply is to be sent. */
    HW_DETECT_SEEN = 2     /* The server's heartbeat, which needs no answer. */
};

/* A detector's answer to a heartbeat request. Also set struct_size first when handing one to hw_connection_respond. */
typedef struct hw_reply {
    uint32_t struct_size;
    hw_kind kind;         /* of the answer: HW_TEXT unless changed */
    const void *data;     /* size bytes, copied as soon as the detector returns; NULL if size is 0 */
    size_t size;
    uint64_t received_ns; /* CLOCK_MONOTONIC: when the request arrived */
    uint64_t deadline_ns; /* CLOCK_MONOTONIC: received_ns and response.timeout; later answers count as failures */
    uint64_t epoch;       /* the connection that the request came by: an answer never goes to another */
} hw_reply;

/*
 * Looks at one received message, for heartbeats that rules cannot express (signed, protobuf): fills reply and returns an hw_detection;
 * any other value counts as HW_DETECT_FAILED. Called for every whole message, before the messages callback gets
 * it. By default it runs on the dispatcher's thread, where a blocked callback makes it late; with "detector.thread" set to "inline" it runs
 * on the I/O thread and must not block. message is borrowed until it returns.
 */
typedef hw_detection (*hw_detect_callback)(hw_connection *connection, const hw_message *message, hw_reply *reply, void *context);

/* Sets the detector; NULL takes it away. HW_E_HANDLE. */
hw_status hw_config_on_detect(hw_config *config, hw_detect_callback callback, void *context);

/* ---- Connection --------------------------------------------------------------------------------------------------------------- */

/*
 * Opens a managed connection to url ("ws://host:port/path?query" or "wss://...") and returns at once; connecting goes on in the
 * background and its outcome is an event. A user name and password in the url ("wss://user:password@host/", percent-encoded) are sent as
 * Basic authentication; they appear in no error text, event or log. Only the first "wss" connection with the same tls properties reads
 * the certificate files, which takes some milliseconds; files that have changed are read again by the next open. The configuration is
 * copied. Release the handle with hw_connection_release. Callbacks may run before this function returns; *out is written before the
 * first.
 * HW_E_URL, HW_E_CONFLICT (such as heartbeat.interval without a payload), HW_E_RULE (rules that do not go together), HW_E_VALUE
 * (preset.parameters, heartbeat.close_code, subprotocols, proxy, basic_auth, tls.pins or message.part_bytes malformed, a client certificate
 * that cannot be read), HW_E_TRUST_STORE, HW_E_SYSTEM, HW_E_ARGUMENT, HW_E_HANDLE.
 */
hw_status hw_connection_open(const hw_config *config, const char *url, hw_connection **out, hw_error *error);

/*
 * Blocks until the connection is in state, at most timeout_ms milliseconds (UINT32_MAX: without limit). Answers HW_E_STATE, with the
 * reason in error, as soon as the connection has reached another final state. HW_E_TIMEOUT: error tells the last failed attempt, if
 * any. HW_E_IN_CALLBACK: called from a library callback. HW_E_HANDLE: also when the handle is released meanwhile. HW_E_ARGUMENT: no
 * such state.
 */
hw_status hw_connection_wait(hw_connection *connection, hw_state state, uint32_t timeout_ms, hw_error *error);

/* Flags of hw_send_options. */
enum {
    HW_SEND_MORE = 1,  /* This is not the message's last part. */
    HW_SEND_NOW = 2,   /* Only if connected, and never again: what the connection did not take whole when it breaks is dropped. Not for
                          parts. */
    HW_SEND_REPORT = 4 /* HW_EVENT_OUTCOME also when it has been sent. */
};

/*
 * Options of hw_connection_send. Set struct_size = sizeof(hw_send_options) and everything else to 0 first.
 *
 * A message can be handed over in parts: the first with HW_SEND_MORE and message_id 0, which gives the message's id; further parts with
 * that id and the same kind; the last without HW_SEND_MORE. Parts leave as fragments (RFC 6455 section 5.4) as they come, except that with
 * heartbeat.interval set they wait for the last, because no beat could pass an unfinished message. Messages sent meanwhile, by any
 * thread, follow it. The limits count the message as a whole, and its parts are kept until all are sent: a message that was cut off
 * is sent again, from its beginning. The foremost message gets its room even if those that follow fill the queue, which may so hold
 * twice queue.bytes_max. A message that is not complete when the connection is closed is dropped; if its beginning has been
 * sent, no message can follow it, and those behind it are dropped too, which HW_EVENT_CLOSED tells by its status.
 */
typedef struct hw_send_options {
    uint32_t struct_size;
    uint32_t flags;      /* HW_SEND_..., or 0 */
    uint64_t message_id; /* the unfinished message that this continues; 0: a new one */
    uint64_t ttl_ms;     /* How long the message may wait before its first byte is written; 0: as the property queue.ttl. Of the first
                            part. */
} hw_send_options;

/*
 * Sends one message. data is copied; it may be NULL if size is 0. When connected, the bytes are written at once if nothing waits before
 * them; while connecting or reconnecting the message waits in a bounded first-in first-out queue. A message whose bytes were not all
 * handed to the kernel when the connection broke is sent again on the next. Text must be UTF-8.
 * options: NULL for a whole message. id: receives the message's number, counted from 1 in this connection, may be NULL.
 * HW_E_STATE: closing, disconnected or failed. HW_E_SEND_FORBIDDEN. HW_E_FULL: queue.messages_max or queue.bytes_max is reached.
 * HW_E_TOO_LARGE.
 * HW_E_NOT_CONNECTED: with HW_SEND_NOW. HW_E_UTF8: text that is not UTF-8; of a part, which is not taken then. HW_E_ARGUMENT: also an
 * unknown flag, a wrong struct_size, or a message_id that is no unfinished message of this kind. HW_E_HANDLE. Never blocks.
 */
hw_status hw_connection_send(hw_connection *connection, hw_kind kind, const void *data, size_t size,
                             const hw_send_options *options, uint64_t *id);

/*
 * Tells what became of the message id. HW_E_RANGE: no message has this id, or it is too long ago: the outcomes of the last 4,096 stretches
 * of messages with the same outcome are remembered. HW_E_ARGUMENT, HW_E_HANDLE.
 */
hw_status hw_connection_outcome(hw_connection *connection, uint64_t id, hw_outcome *out);

/*
 * Takes back a message of which nothing has been written yet; its outcome is cancelled. HW_E_STATE: too late, its outcome stands or its
 * bytes are on their way. HW_E_RANGE: no message has this id. HW_E_HANDLE.
 */
hw_status hw_connection_cancel(hw_connection *connection, uint64_t id);

/*
 * Keeps a message, such as a subscription, under key: it is sent at once if connected, and again on every new connection, after the opening
 * script and before queued messages, in the order in which the keys were first given. The same key replaces the message and keeps its
 * place; the new one is sent too. data NULL removes it and sends nothing. key: 1 to 255 bytes of UTF-8, copied; data is copied. The kept
 * messages share the limits of the queue (queue.messages_max, queue.bytes_max) among themselves.
 * HW_E_FULL, HW_E_TOO_LARGE, HW_E_UTF8, HW_E_STATE: closing, disconnected or failed. HW_E_SEND_FORBIDDEN, HW_E_ARGUMENT, HW_E_HANDLE.
 */
hw_status hw_connection_keep(hw_connection *connection, const char *key, hw_kind kind, const void *data, size_t size);

/*
 * Makes before it breaks: opens a new connection, runs its opening script while the old one still delivers, then sends by the new one,
 * and closes the old one rotate.linger after the last message sent on it. HW_EVENT_ROTATION tells how far it is. Returns at once. With
 * a rotation under way already, or before the first connection, it does nothing and is HW_OK. HW_E_STATE: closing, disconnected or
 * failed. HW_E_HANDLE.
 */
hw_status hw_connection_rotate(hw_connection *connection);

/* What an attempt goes by: hw_connection_proceed. Set struct_size = sizeof(hw_attempt) and everything else to 0 or NULL first. */
typedef struct hw_attempt {
    uint32_t struct_size;
    uint32_t header_count;
    const char *url;                    /* instead of the one that the event names, for this attempt; NULL: that one */
    const char *const *header_names;    /* header_count of each: they replace configured fields of the same name, for this attempt */
    const char *const *header_values;
    const char *failure;                /* not NULL: there is nothing to attempt with; the attempt fails with HW_E_BEFORE_CONNECT and
                                           the first 1,024 bytes of this text */
} hw_attempt;

/*
 * Answers HW_EVENT_CONNECT_DUE: the attempt attempt_id goes on as attempt says (NULL: as configured). Everything is copied.
 * A header or URL that authorizes takes the place of what is configured for that. HW_E_STATE: that attempt is over or was answered.
 * HW_E_URL, HW_E_HEADER, HW_E_TOO_LARGE, HW_E_CONFLICT (user names twice), and with the first "wss" URL of a connection that was opened
 with
 * "ws" what hw_connection_open says of TLS: error tells what; the attempt still waits for an answer. HW_E_ARGUMENT, HW_E_HANDLE. Never
 * blocks, but for reading certificate files as hw_connection_open does.
 */
hw_status hw_connection_proceed(hw_connection *connection, uint64_t attempt_id, const hw_attempt *attempt, hw_error *error);

/*
 * Answers a heartbeat request that came as a message, ahead of queued messages, for hosts that take from an inbox and look for heartbeats
 * themselves. reply: struct_size, kind, data, size, and received_ns and epoch as they stand in the hw_message; deadline_ns is ignored. The
 * time from received_ns to the kernel is measured and judged as for answers of rules. detection: HW_DETECT_ANSWER; HW_DETECT_SEEN counts a
 * heartbeat without answer, HW_DETECT_FAILED a failed detector; then only epoch is read.
 * HW_E_STATE: that connection is over, closing, or too many answers wait to be written. HW_E_SEND_FORBIDDEN. HW_E_UTF8, HW_E_TOO_LARGE:
 * more than 64 KiB.
 * HW_E_ARGUMENT, HW_E_HANDLE. Never blocks.
 */
hw_status hw_connection_respond(hw_connection *connection, hw_detection detection, const hw_reply *reply);

/*
 * Closes gracefully: what is queued is sent, then a close frame with code and reason, then the server's answer is awaited until
 * close.timeout has passed since the call. With messages queued an attempt under way and its opening script go on until then; a failed one
 * is not repeated, and none begins. Returns at once; the state becomes closing, then disconnected. If messages could not be sent by then,
 * HW_EVENT_CLOSED, if there was a connection, has a status other than HW_OK; their outcome is HW_OUTCOME_CANCELLED. Calling it again does
 * nothing and is HW_OK.
 * code: 1000, 1001, 1003, 1007 to 1014 or 3000 to 4999 (RFC 6455 section 7.4); 0 sends no code. reason: copied, UTF-8, at most 123
 * bytes, may be NULL. HW_E_ARGUMENT: another code, a reason without a code, too long, or not UTF-8. HW_E_HANDLE.
 */
hw_status hw_connection_close(hw_connection *connection, uint16_t code, const char *reason);

/*
 * Gives the handle back; it is stale at once. An open connection sends a close frame (1001) if the socket takes it and is cut off without
 * waiting; call hw_connection_close first to end it gracefully. Callbacks for what has arrived by then still run, the last one being
 * HW_EVENT_RELEASED; the call blocks until that has returned. From inside a library callback it returns at once instead, what has not been
 * delivered is dropped, and HW_EVENT_RELEASED follows after that callback. With an inbox it never blocks: deliveries already in the
 * inbox stay, and HW_EVENT_RELEASED is the last. NULL and stale handles are ignored.
 */
void hw_connection_release(hw_connection *connection);

/* The present state; HW_STATE_DISCONNECTED for a handle that is not live. */
hw_state hw_connection_state(hw_connection *connection);

/*
 * Writes the address that the connection leads to, a proxy's if there is one, or that a listener's client comes from: "192.0.2.1:443" or
 * "[2001:db8::1]:443". From HW_EVENT_ACCEPT_DUE or HW_EVENT_OPENED until the transport ends. *size (may be NULL) gets the size in bytes
 * without the terminating NUL, at most 80. HW_E_STATE: no transport now. HW_E_BUFFER: capacity must be at least *size + 1; nothing was
 * written to buffer, which may be NULL if capacity is 0. HW_E_HANDLE, HW_E_ARGUMENT.
 */
hw_status hw_connection_peer_address(hw_connection *connection, char *buffer, size_t capacity, size_t *size);

/* Counters since hw_connection_open. */
typedef struct hw_metrics {
    uint32_t struct_size;
    hw_state state;
    uint64_t messages_received; /* complete text and binary messages */
    uint64_t messages_sent;     /* handed to the kernel entirely, payload beats included */
    uint64_t bytes_received;    /* WebSocket bytes, headers of frames included, TLS and TCP excluded */
    uint64_t bytes_sent;
    uint64_t beats_sent;        /* pings and payload beats */
    uint64_t beats_missed;      /* pings and payload beats not acknowledged in time */
    uint64_t pings_received;
    uint64_t pongs_sent;        /* answers to the server's pings */
    uint64_t pongs_received;    /* those that match a ping of ours */
    uint64_t reconnections;     /* connections established after a loss */
    uint64_t attempts_failed;
    uint64_t errors;            /* failed attempts, protocol violations, lost connections, dead peers */
    uint64_t messages_dropped;  /* by inbox.overflow */
    uint64_t queue_messages;    /* waiting to be sent now */
    uint64_t queue_bytes;
    uint64_t uptime_ms;         /* of the present connection; 0 when not connected */
    uint64_t last_message_ns;   /* CLOCK_MONOTONIC of the last received message; 0 if none */
    uint64_t rtt_last_ns;       /* round trip of the last answered ping; 0 if none */
    uint64_t rtt_mean_ns;       /* mean over all answered pings of the handle */
    uint64_t epoch;
    uint64_t attempts;           /* attempts begun */
    uint64_t rotations;          /* finished */
    uint64_t duplicates_dropped; /* received messages left out by rotate.duplicate_key */
    uint64_t queue_expired;      /* outcomes of own messages */
    uint64_t queue_dropped;
    uint64_t queue_cancelled;
    uint64_t kept_messages;      /* kept now */
} hw_metrics;

/* Takes a snapshot. Set out->struct_size first. HW_E_HANDLE, HW_E_ARGUMENT. */
hw_status hw_connection_metrics(hw_connection *connection, hw_metrics *out);

/* The heartbeats of a connection: times in nanoseconds, of the present connection unless it says otherwise. */
typedef struct hw_health {
    uint32_t struct_size;
    hw_health_level health;
    hw_quality quality;
    hw_response_level response_level; /* of the last answer */
    uint32_t failures_in_a_row;       /* missed beats and failed answers; heartbeat.failure_threshold ends the connection */
    uint32_t responses;               /* in the window of the last 100: */
    uint64_t response_last_ns;
    uint64_t response_min_ns;
    uint64_t response_mean_ns;
    uint64_t response_median_ns;
    uint64_t response_p99_ns;
    uint64_t response_max_ns;
    uint64_t responses_total;         /* since the connection opened; the percentiles of all, from a histogram, within 12.5 %: */
    uint64_t responses_median_ns;
    uint64_t responses_p99_ns;
    uint64_t responses_p999_ns;
    uint64_t responses_max_ns;
    uint32_t round_trips;             /* in the window of the last 16: */
    uint32_t round_trip_variance_ms2; /* variance in square milliseconds */
    uint64_t round_trip_last_ns;
    uint64_t round_trip_mean_ns;
    uint64_t round_trip_min_ns;
    uint64_t round_trip_max_ns;
    uint64_t timestamps;              /* server timestamps seen; without any the three below are 0 */
    int64_t one_way_raw_ns;           /* the wall clock at arrival less the last timestamp */
    int64_t one_way_ns;               /* the same less clock_offset_ns */
    int64_t clock_offset_ns;          /* how far our clock runs ahead of the server's, by the round trips; 0 while there are none */
    uint64_t silent_ns;               /* since the last byte arrived */
    uint64_t data_silent_ns;          /* since a watch or stamp last saw what it expects; since open if none did */
    uint64_t heartbeats_received;     /* since hw_connection_open, as all below */
    uint64_t heartbeats_answered;
    uint64_t heartbeats_failed;
    uint64_t beats_acked;
    uint64_t beats_late;
    uint64_t ping_interval_ns;        /* between the last ping and the next, which heartbeat.adaptive changes; 0 if none are sent */
} hw_health;

/* Takes a snapshot. Set out->struct_size first. HW_E_HANDLE, HW_E_ARGUMENT. */
hw_status hw_connection_health(hw_connection *connection, hw_health *out);

/* ---- Inbox -------------------------------------------------------------------------------------------------------------------- */

/* One thing taken from an inbox: a message if event is NULL, else that event. */
typedef struct hw_delivery {
    hw_connection *connection; /* may be released already; then it is stale */
    void *context;             /* given to hw_config_set_inbox */
    hw_message message;        /* all zero if event is not NULL */
    const hw_event *event;
} hw_delivery;

/*
 * Makes an inbox with the limits inbox.bytes_max, inbox.messages_max and inbox.overflow of config, or the defaults if config is NULL.
 * HW_E_ARGUMENT, HW_E_HANDLE.
 */
hw_status hw_inbox_new(const hw_config *config, hw_inbox **out);

/*
 * Takes up to capacity deliveries, oldest first, and writes their number, at least 1, to *count. If there are none, waits up to
 * timeout_ms (0: does not wait; UINT32_MAX: without limit). All data is borrowed until the next take from, or the release of, this
 * inbox; one thread at a time should take. HW_E_TIMEOUT: nothing came. HW_E_ARGUMENT: NULL, or capacity is 0. HW_E_HANDLE: also
 * when the inbox is released while waiting. HW_E_IN_CALLBACK: called from a library callback with a timeout. May block.
 */
hw_status hw_inbox_take(hw_inbox *inbox, hw_delivery *deliveries, size_t capacity, size_t *count, uint32_t timeout_ms);

/*
 * A file descriptor that poll(2) reports readable while something waits; for the host's own loop, which then calls hw_inbox_take with
 * timeout_ms 0 and reads nothing from the descriptor itself. It belongs to the inbox and is closed with it. -1 if the handle is not
 * live or no descriptor could be made.
 */
int hw_inbox_fd(hw_inbox *inbox);

/*
 * Gives the handle back. Connections that deliver into it drop their messages and events from then on. NULL and stale handles are
 * ignored.
 */
void hw_inbox_release(hw_inbox *inbox);

/* ---- The listener ------------------------------------------------------------------------------------------------------------- */

/*
 * Listens for clients at url: "ws://host:port" or "wss://host:port", where port 0 takes a free one, and host is an address, a name of this
 * machine, or "[::]" or 0.0.0.0 for all of its addresses; "[::]" takes IPv4 too. The path of the URL is not looked at. A name is resolved
 * and files are read here, which may block.
 *
 * Every client that is let in is an hw_connection of its own, with the configuration's callbacks or inbox and the functions of every
 * connection; hw_connection_keep, _rotate and _proceed do nothing for it, and no opening script runs. The first that is heard of it is
 * HW_EVENT_ACCEPT_DUE or HW_EVENT_OPENED. Its handle is the listener's: it is released by itself after the client has gone, when
 * HW_EVENT_RELEASED is delivered, and may be released before that to cut the client off. While a client's messages are not taken
 * (inbox.overflow "pause") it is not read either: that it answers no ping, or has gone, is found out once they are.
 *
 * With wss, tls.certificate_file or tls.certificate_pem is the listener's own certificate. If tls.ca_file, tls.ca_dir or tls.ca_pem is set,
 * every client has to show a certificate that one of these has issued, or that is one of these; otherwise none is asked for.
 * tls.version_min holds, tls.server_name means nothing. A client that offers protocols by ALPN has to offer http/1.1. Files are not read
 * again: to use a renewed certificate, close the listener and open another. Who fails at TLS is none of the host's business; the log tells
 * at HW_LOG_DEBUG.
 *
 * Properties mean the same as for clients, with these differences: connect.timeout is how long a client may take, TLS included, to ask and
 * be let in; ping.interval is 30 s unless it is set, and the pings of all clients are spread over it; 0 pings nobody, which a log line says
 * once (HW_LOG_WARNING); heartbeat.close_code and heartbeat.close_reason are 1001 and "Heartbeat timeout" unless they are set; subprotocols
 * are those that are spoken; listener.origins and listener.connections_max say whom to let in. compression.client_ is of what clients send,
 * compression.server_ of what the listener does. While the process has no descriptor left, clients are turned away as those that are too
 * many are, with 503, or with wss by the end of the connection; the log warns of it.
 *
 * With listener.metrics the listener answers GET and HEAD of /metrics with the text of hw_metrics_write, and of /healthz with 200, or 503
 * if it lets nobody in any more; with listener.monitor /monitor is a page that shows all connections of the process, live, over
 * /monitor/live. Queries are not looked at, but for the monitor's token. What else is no request for a WebSocket connection is answered
 * with 426 or what is wrong with it. Whoever asks for a page is none of the application's business: no event or handle tells of it, no
 * broadcast reaches it. It counts for listener.connections_max, and has connect.timeout to take the answer. The monitor wants
 * listener.monitor_token, or, if there is none, a listener bound to a loopback address, and requests whose Host is a loopback address or
 * localhost.
 *
 * HW_E_URL, HW_E_RESOLVE, HW_E_SYSTEM: the address cannot be had, native_code says why; what hw_connection_open says of configurations;
 * HW_E_CONFLICT: wss without a certificate, or with tls.pins, or with authorities and tls.verify "false"; a monitor that others could reach
 * without a token. HW_E_ARGUMENT, HW_E_HANDLE.
 */
hw_status hw_listener_open(const hw_config *config, const char *url, hw_listener **out, hw_error *error);

/* The port that is listened at. HW_E_ARGUMENT, HW_E_HANDLE. */
hw_status hw_listener_port(hw_listener *listener, uint16_t *out);

/*
 * Answers HW_EVENT_ACCEPT_DUE. http_status 0 lets the client in; 400 to 599 turns it away with that status, and reason, at most 1,024
 * bytes of UTF-8, copied, may be NULL, is the answer's body. Returns at once. HW_E_STATE: that client has gone, or was answered.
 * HW_E_ARGUMENT: another status, or a longer reason. HW_E_UTF8, HW_E_HANDLE.
 */
hw_status hw_connection_accept(hw_connection *connection, uint64_t attempt_id, uint16_t http_status, const char *reason);

/*
 * Puts a client into a group, for hw_listener_broadcast; twice is once. It leaves its groups when it goes. group: 1 to 255 bytes of UTF-8,
 * copied. HW_E_STATE: the connection is no client of this listener, or has gone. HW_E_ARGUMENT, HW_E_UTF8, HW_E_HANDLE.
 */
hw_status hw_listener_join(hw_listener *listener, hw_connection *connection, const char *group);
hw_status hw_listener_leave(hw_listener *listener, hw_connection *connection, const char *group);

/*
 * Sends a message to every client of a group, or of the listener if group is NULL. It is kept once, and compressed once for all clients
 * that agreed on the whole window of 15 bits. A client whose queue is full makes room or is left out, as queue.overflow says; one that is
 * not connected yet is left out: reached, which may be NULL, says how many took it. HW_E_UTF8, HW_E_ARGUMENT, HW_E_HANDLE. Never blocks.
 * For each client it is as if sent by hw_connection_send with HW_SEND_NOW: it takes the next number among that connection's messages,
 * HW_EVENT_OUTCOME tells if it gives way or is cut off, and HW_EVENT_WRITABLE follows if there was no room for it.
 *
 * broadcast.heartbeat has the listener itself send one to all its clients, every broadcast.interval.
 */
hw_status hw_listener_broadcast(
    hw_listener *listener, const char *group, hw_kind kind, const void *data, size_t size, uint64_t *reached);

/*
 * Gives the handle back: it is stale at once, and nobody is let in any more. The clients get a close frame with 1001 and, as after
 * hw_connection_close, time for what is queued and for their answer, close.timeout. Does not wait for that. NULL and stale handles are
 * ignored.
 */
void hw_listener_close(hw_listener *listener);

/* ---- The process -------------------------------------------------------------------------------------------------------------- */

/* What hw_shutdown could not finish. Set struct_size first. */
typedef struct hw_shutdown_report {
    uint32_t struct_size;
    uint32_t connections;         /* that were open or being opened */
    uint32_t connections_cut;     /* of these: cut off, because the server had not answered the close frame in time */
    uint32_t connections_unsent;  /* of these: ended with messages that were not sent */
    uint64_t messages_unsent;
    uint64_t bytes_unsent;
} hw_shutdown_report;

/*
 * Closes all connections of the process gracefully with 1001, as hw_connection_close does, and waits until they have ended, at most
 * timeout_ms; what has not ended by then is cut off. Listeners let nobody in any more. For programs and interpreters that end. Handles
 * stay and have to be released; connections may be opened anew afterwards. out: may be NULL.
 * HW_E_TIMEOUT: something was cut off or not sent; out tells what, written in this case too. HW_E_IN_CALLBACK, HW_E_ARGUMENT.
 */
hw_status hw_shutdown(uint32_t timeout_ms, hw_shutdown_report *out);

/* ---- Metrics of the process ---------------------------------------------------------------------------------------------------- */

/*
 * Writes what hw_connection_metrics and hw_connection_health tell of all connections of the process, and what its listeners have counted,
 * for Prometheus and whatever else reads OpenMetrics 1.0 (https://github.com/prometheus/OpenMetrics): text that ends with "# EOF", to be
 * served as "application/openmetrics-text; version=1.0.0; charset=utf-8". Counters, gauges of the handles that there are now, and
 * histograms of how long heartbeats waited for their answers and of round trips. The labels "connection" and "listener" are the property
 * metrics.name: connections of one name are added up, listeners too, and what released ones have counted stays counted. Names beyond the
 * first 100 of the process count as "other".
 * Writes the size in bytes, without the terminating NUL that follows the text, to *size (may be NULL). HW_E_BUFFER: capacity must be at
 * least *size + 1, and more if connections are opened meanwhile or numbers get longer; nothing was written to buffer, which may be NULL if
 * capacity is 0. HW_E_ARGUMENT. Never blocks.
 */
hw_status hw_metrics_write(char *buffer, size_t capacity, size_t *size);

/* ---- Log ---------------------------------------------------------------------------------------------------------------------- */

typedef int32_t hw_log_level;
enum {
    HW_LOG_OFF = 0,
    HW_LOG_ERROR = 1,
    HW_LOG_WARNING = 2,
    HW_LOG_INFO = 3, /* connections opened and closed, health */
    HW_LOG_DEBUG = 4 /* each beat */
};

/*
 * Receives one line, size bytes of UTF-8, not terminated and without line end, borrowed until the callback returns. Lines never hold
 * credentials, or more of a payload than a heartbeat's first 128 bytes. Runs on the dispatcher's thread, between other callbacks.
 */
typedef void (*hw_log_callback)(hw_log_level level, const char *line, size_t size, void *context);

/*
 * Sets the process-wide receiver of log lines of at most this level; HW_LOG_OFF or NULL takes it away. Once it returns the
 * receiver before is called no more, and if it is just running the call blocks until it has returned; only from inside a library callback
 * it never blocks. Lines wait for the dispatcher in a bounded queue: of a flood that nobody takes the oldest are dropped, and a line says
 * how many. HW_E_ARGUMENT: no such level.
 */
hw_status hw_log(hw_log_level level, hw_log_callback callback, void *context);

#ifdef __cplusplus
}
#endif

#endif
