/* `heartwire connect`. */
#include "program.h"
#include "session.h"
#include "settings.h"

static int run(const struct command *command, int argc, char **argv)
{
    struct settings settings;
    int exit_status;
    if (settings_read(&settings, command, argc, argv, &exit_status))
        exit_status = session_run(&settings);
    settings_free(&settings);
    return exit_status;
}

const struct command connect_command = {
    .name = "connect",
    .arguments = "[OPTION]... URL",
    .summary = "send lines to a server, print what it sends, stay connected",
    .help = "Opens URL (ws:// or wss://) and keeps the connection alive: heartbeats are sent\n"
            "and answered, and whenever it is lost it is opened again. Each line of standard\n"
            "input is sent as a text message; lines wait while there is no connection. Each\n"
            "message received is printed on a line, a binary one in base64 after 'binary, N\n"
            "bytes: '. On a terminal control characters are shown as \\x1b.\n",
    .options = connect_options,
    .notes = "Ctrl-C, SIGTERM or SIGHUP closes the connection when the messages that wait are\n"
             "sent, within close.timeout; a second one cuts it off.\n"
             "\n"
             "After the end of the input the connection is closed once everything is sent and\n"
             "nothing has come for the time of --wait; but not before it was there, for which\n"
             "it is tried without end, unless reconnect.attempts_max is set. If whatever reads\n"
             "the output goes away it is closed too, and that is no failure.\n"
             "\n"
             "With --json a message is {\"type\":\"message\",\"kind\":\"text\",\"data\":...}, an event\n"
             "{\"type\":\"event\",\"event\":\"opened\",...}, with \"time\" in both. Strings are UTF-8;\n"
             "what is not, as binary messages, is base64, and a member such as\n"
             "\"data_encoding\":\"base64\" beside it says so. Members of events that would be\n"
             "zero, false or empty are left out.\n"
             "\n"
             "Exit status:\n"
             "  0  closed as asked, or by the server with reconnect.enabled=false\n"
             "  1  closed as asked, but not every line of the input was sent\n"
             "  2  an option, a property, a rule or the URL is wrong\n"
             "  3  the host was not reached, or the connection was lost\n"
             "  4  TLS: handshake or certificate\n"
             "  5  the server refused the opening handshake\n"
             "  6  the server closed the connection, or broke the protocol\n"
             "  7  heartbeats failed\n"
             "  8  the operating system, memory or the output failed\n"
             "  130, 143, 129: cut off by a second SIGINT, SIGTERM or SIGHUP\n"
             "Statuses 3 to 7 come only when nothing would be gained by trying again, or\n"
             "when it is not allowed (reconnect.enabled, reconnect.attempts_max).\n"
             "\n"
             "Examples:\n"
             "  heartwire connect wss://example.org/feed\n"
             "  heartwire connect --preset deribit --set preset.parameters=interval=10 \\\n"
             "      --keep '{\"op\":\"subscribe\",\"channel\":\"trades\"}' --json URL | jq .data\n"
             "  echo hello | heartwire connect --wait 2s --set reconnect.enabled=false URL\n",
    .run = run,
};
