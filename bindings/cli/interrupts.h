/* Ctrl-C and its like: the first asks to close, the second ends the program at once. */
#ifndef HEARTWIRE_INTERRUPTS_H
#define HEARTWIRE_INTERRUPTS_H

/* From now on SIGINT, SIGTERM and SIGHUP count. Answers a descriptor that poll(2) reports readable after the first, -1 if none was made. */
int watch_interrupts(void);

#endif
