/* `heartwire demo`: the acts. */
#define _POSIX_C_SOURCE 200809L

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <time.h>

#include "arguments.h"
#include "child.h"
#include "clock.h"
#include "trader.h"

enum { ORDERS = 3, TRADES = 20, STUCK_MS = 4500, DOWN_MS = 1500 };

struct demo {
    struct child exchange;
    struct trader trader;
    struct shown first; /* what the trader knew when the act began */
    unsigned failures;
};

/* Says whether a promise was kept. */
static void judge(struct demo *demo, bool kept, const char *promise)
{
    if (demo->trader.interrupted)
        return;
    trader_say(&demo->trader, kept ? "ok" : "FAILED", "%s", promise);
    demo->failures += !kept;
}

static void begin_act(struct demo *demo, const char *what)
{
    demo->first = demo->trader.shown;
    putchar('\n');
    trader_say(&demo->trader, "exchange", "%s", what);
}

/* ---- What is waited for */

static bool is_trading(const struct trader *trader, const struct shown *first)
{
    return trader->shown.trades >= first->trades + TRADES && trader->shown.state == HW_STATE_CONNECTED;
}

static bool has_rotated(const struct trader *trader, const struct shown *first)
{
    return trader->shown.rotations > first->rotations && is_trading(trader, first);
}

static bool is_lost(const struct trader *trader, const struct shown *first)
{
    return trader->shown.losses > first->losses;
}

static bool attempt_has_failed(const struct trader *trader, const struct shown *first)
{
    return trader->shown.attempts_failed > first->attempts_failed;
}

static bool is_back(const struct trader *trader, const struct shown *first)
{
    return trader->shown.gaps > first->gaps && trader->shown.epoch_trades >= TRADES;
}

static bool orders_are_filled(const struct trader *trader, const struct shown *first)
{
    return trader->shown.filled >= first->filled + ORDERS;
}

static bool never(const struct trader *trader, const struct shown *first)
{
    (void)trader, (void)first;
    return false;
}

/* Goes on until the condition holds. False: it did not in the time that anything here may take. */
static bool until(struct demo *demo, trader_condition *condition)
{
    enum { PATIENCE_MS = 20000 };
    return trader_run(&demo->trader, condition, &demo->first, PATIENCE_MS);
}

/* ---- The acts */

static bool begin(struct demo *demo)
{
    if (!child_start(&demo->exchange, 0)) {
        complain("demo: the exchange did not start; 'heartwire serve --exchange' says why");
        return false;
    }
    if (!trader_open(&demo->trader, demo->exchange.port))
        return false;
    trader_say(&demo->trader, "exchange", "process %d trades at ws://127.0.0.1:%u", (int)demo->exchange.process, demo->exchange.port);
    judge(demo, until(demo, is_trading), "connected; the subscription is kept, and trades come");
    return true;
}

/* The program is stuck, as in a long computation or under a lock; the library is not. */
static void get_stuck(struct demo *demo)
{
    begin_act(demo, "asks for signs of life every 2 s, while this program does nothing at all for 4.5 s");
    const struct timespec stuck = {.tv_sec = STUCK_MS / 1000, .tv_nsec = STUCK_MS % 1000 * 1000000L};
    nanosleep(&stuck, NULL);
    until(demo, is_trading);
    judge(demo, demo->trader.shown.answered >= demo->first.answered + 2 && demo->trader.shown.losses == 0,
          "every heartbeat was answered in time all the same");
}

static void rotate(struct demo *demo)
{
    begin_act(demo, "is given a new connection before the old one is closed");
    hw_connection_rotate(demo->trader.connection);
    bool rotated = until(demo, has_rotated);
    judge(demo, rotated && demo->trader.shown.skipped == demo->first.skipped, "no trade was missed, and none came twice");
}

static void kill_exchange(struct demo *demo)
{
    begin_act(demo, "is killed (SIGKILL), and started again after 1.5 s");
    uint16_t port = demo->exchange.port;
    child_kill(&demo->exchange);
    until(demo, is_lost);
    for (int i = 0; i < ORDERS; i++)
        trader_order(&demo->trader);
    trader_say(&demo->trader, "client", "%d orders are sent meanwhile: they wait in the queue", ORDERS);
    trader_run(&demo->trader, never, &demo->first, DOWN_MS);
    if (!child_start(&demo->exchange, port))
        complain("demo: the exchange did not start again");
    judge(demo, until(demo, is_back), "connected again, subscribed again: trades come");
    judge(demo, until(demo, orders_are_filled) && demo->trader.shown.filled == demo->first.filled + ORDERS && demo->trader.in_order,
          "the orders were filled, each once and in their order");
}

static void freeze_exchange(struct demo *demo)
{
    begin_act(demo, "is frozen (SIGSTOP): its connections stand, but nobody answers");
    uint64_t frozen_ms = clock_ms();
    child_signal(&demo->exchange, SIGSTOP);
    bool noticed = until(demo, is_lost);
    trader_say(&demo->trader, "client", "noticed after %.1f s", (double)(clock_ms() - frozen_ms) / 1000);
    judge(demo, noticed && demo->trader.shown.missed >= demo->first.missed + 2, "heartbeats have found out, where TCP would have waited");
    until(demo, attempt_has_failed);
    child_signal(&demo->exchange, SIGCONT);
    trader_say(&demo->trader, "exchange", "goes on (SIGCONT)");
    judge(demo, until(demo, is_back), "connected again, subscribed again: trades come");
}

static int end(struct demo *demo)
{
    putchar('\n');
    trader_close(&demo->trader);
    child_kill(&demo->exchange);
    if (demo->trader.interrupted) {
        complain("interrupted");
        return 130;
    }
    puts(demo->failures == 0 ? "\nEverything was kept." : "\nFAILED: see above.");
    return demo->failures == 0 ? finish_output() : STATUS_HEARTBEAT;
}

static int run(const struct command *command, int argc, char **argv)
{
    (void)argc;
    static void (*const acts[])(struct demo *) = {get_stuck, rotate, kill_exchange, freeze_exchange};
    const char *operand;
    int exit_status;
    if (!read_operand(command, argv, &operand, &exit_status))
        return exit_status;
    struct demo demo = {.exchange = {.process = 0}};
    setvbuf(stdout, NULL, _IOLBF, 0);
    bool begun = trader_begin(&demo.trader) && begin(&demo);
    for (size_t i = 0; begun && i < sizeof acts / sizeof *acts && !demo.trader.interrupted; i++)
        acts[i](&demo);
    exit_status = begun ? end(&demo) : STATUS_SYSTEM;
    child_kill(&demo.exchange);
    trader_end(&demo.trader);
    return exit_status;
}

static const struct option options[] = {{.name = NULL}};

const struct command demo_command = {
    .name = "demo",
    .arguments = "",
    .summary = "watch a connection live through a killed and a frozen server",
    .help = "Starts 'heartwire serve --exchange' as a process of its own, and a client of it\n"
            "here; then, within about 15 s, does what ends other connections:\n"
            "\n"
            "  stuck   this program does nothing for 4.5 s: heartbeats are answered\n"
            "  rotate  a new connection takes over: no trade is missed\n"
            "  kill    the exchange is killed and started again: the client reconnects,\n"
            "          subscribes again, and the orders sent meanwhile are filled\n"
            "  freeze  the exchange is stopped, its sockets stay open: heartbeats find out\n"
            "\n"
            "Each promise is checked and shown as 'ok' or 'FAILED'.\n",
    .options = options,
    .notes = "Exit status:\n"
             "  0    every promise was kept\n"
             "  7    one was not\n"
             "  8    the exchange did not start\n"
             "  130  interrupted\n",
    .run = run,
};
