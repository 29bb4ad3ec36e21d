/*
 * Measures the memory that an idle connection holds in the client process: resident, and allocated.
 *
 * Usage: idle URL CONNECTIONS CA_FILE [PROPERTY=VALUE ...]   CA_FILE is empty for plain connections.
 */
#define _POSIX_C_SOURCE 200809L

#include "descriptors.h"
#include "measure.h"
#include <malloc.h>
#include <unistd.h>

static long resident_bytes(void)
{
    long total = 0, resident = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (file == NULL || fscanf(file, "%ld %ld", &total, &resident) != 2)
        exit(1);
    fclose(file);
    return resident * sysconf(_SC_PAGESIZE);
}

/* What is allocated and not freed; resident memory comes in pages, and holds what was freed too. */
static size_t allocated_bytes(void)
{
    struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
}

int main(int argc, char **argv)
{
    if (argc < 4)
        return 2;
    raise_descriptor_limit();
    size_t count = strtoul(argv[2], NULL, 10);
    hw_connection **connections = calloc(count, sizeof *connections);
    hw_config *config = make_config(argv[3][0] != 0 ? argv[3] : NULL);
    set_all(config, argv + 4);
    /* The first connection brings what all share: threads, trust store, tables. */
    connections[0] = open_connection(config, argv[1]);
    wait_for(connections[0], HW_STATE_CONNECTED);

    long before = resident_bytes();
    size_t allocated_before = allocated_bytes();
    for (size_t i = 1; i < count; i++)
        connections[i] = open_connection(config, argv[1]);
    for (size_t i = 1; i < count; i++)
        wait_for(connections[i], HW_STATE_CONNECTED);
    printf("{\"kib_per_connection\": %.2f, \"allocated_bytes\": %.0f}\n", (double)(resident_bytes() - before) / 1024 / (double)(count - 1),
           (double)(allocated_bytes() - allocated_before) / (double)(count - 1));

    for (size_t i = 0; i < count; i++)
        hw_connection_close(connections[i], 1000, NULL);
    for (size_t i = 0; i < count; i++)
        close_connection(connections[i]);
    hw_config_free(config);
    free(connections);
    return 0;
}
