// The same server as crowd_server.c, made with uWebSockets.
//
// Usage: uwebsockets_server plain|deflate   prints its port when ready, and ends with its standard input.

#include "App.h"
#include <cstdio>
#include <cstring>
#include <sys/resource.h>
#include <thread>

struct Nothing {};

int main(int argc, char **argv)
{
    if (argc != 2)
        return 2;
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    std::thread([] {
        while (getchar() != EOF)
            continue;
        _exit(0);
    }).detach();

    bool compresses = strcmp(argv[1], "deflate") == 0;
    uWS::App app;
    app.ws<Nothing>("/*", {
        .compression = compresses ? uWS::SHARED_COMPRESSOR : uWS::DISABLED,
        // Pings come 16 seconds before the idle timeout: each 30 seconds.
        .idleTimeout = 46,
        .maxBackpressure = 16 * 1024 * 1024,
        .open = [](auto *client) { client->subscribe("all"); },
        .message = [&app, compresses](auto *client, std::string_view message, uWS::OpCode opcode) {
            if (opcode == uWS::TEXT)
                app.publish("all", message, opcode, compresses);
            else
                client->send(message, opcode, compresses);
        },
    });
    app.listen("127.0.0.1", 0, [](us_listen_socket_t *socket) {
        printf("%d\n", us_socket_local_port(0, (us_socket_t *)socket));
        fflush(stdout);
    });
    app.run();
}
