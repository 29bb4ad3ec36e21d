/* What the files of the program share: its exit statuses, its commands, and how it speaks of errors. */
#ifndef HEARTWIRE_PROGRAM_H
#define HEARTWIRE_PROGRAM_H

#include <heartwire.h>
#include <stdbool.h>

/* Also listed by `heartwire connect --help`. */
enum {
    STATUS_OK = 0,          /* closed as asked, or by the server with reconnect.enabled off */
    STATUS_UNSENT = 1,      /* closed as asked, but some lines of the input were not sent */
    STATUS_USAGE = 2,       /* an option, a property, a rule or the URL is wrong */
    STATUS_UNREACHABLE = 3, /* no connection to the host, or it was lost */
    STATUS_TLS = 4,
    STATUS_HANDSHAKE = 5, /* the server refused the opening handshake, or the opening script failed */
    STATUS_CLOSED = 6,    /* the server closed the connection, or broke the protocol */
    STATUS_HEARTBEAT = 7,
    STATUS_SYSTEM = 8 /* the operating system, or the output */
};

/* One option of a command; a list ends with an empty name. */
struct option {
    int id;
    const char *name;  /* with its dashes */
    const char *value; /* what help calls its value; NULL if it takes none */
    const char *help;
};

/* One command; a new one is an entry in the table of main.c. */
struct command {
    const char *name;
    const char *arguments; /* as the line of usage shows them */
    const char *summary;   /* one line */
    const char *help;      /* paragraphs, lines of at most 80 columns */
    const struct option *options;
    const char *notes;     /* paragraphs after the options, lines of at most 80 columns */
    int (*run)(const struct command *command, int argc, char **argv);
};

extern const struct command connect_command;
extern const struct command demo_command;
extern const struct command presets_command;
extern const struct command properties_command;
extern const struct command serve_command;
extern const struct command version_command;

/* Prints how to use a command. */
void print_command_help(const struct command *command);

/* Prints one line to standard error, after the program's name; control characters are made visible. */
void complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The exit status for a failure that the library reports. */
int exit_status_of(hw_status status);

/* Complains about what the library refused; what names the option concerned. Answers the exit status. */
int complain_of_error(const char *what, const hw_error *error);

/* Writes out what waits for standard output; false if that cannot be done. Then *exit_status is set, unless the reader has just gone. */
bool flush_output(int *exit_status);

/* As flush_output, at the end; the exit status. */
int finish_output(void);

#endif
