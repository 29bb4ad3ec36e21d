/* The server's end of Deribit's heartbeats: its request, and how an answer is told. */
#ifndef DERIBIT_H
#define DERIBIT_H

#include "peer.h"

/* 0 if the client has left. */
static inline int send_request(struct peer *peer)
{
    static const char request[] = "{\"jsonrpc\":\"2.0\",\"method\":\"heartbeat\",\"params\":{\"type\":\"test_request\"}}";
    return send_control(peer, OPCODE_TEXT, request, sizeof request - 1);
}

static inline int is_answer(const struct frame *frame)
{
    static const char method[] = "\"method\":\"public/test\"";
    return frame->opcode == OPCODE_TEXT && memmem(frame->payload, frame->size, method, sizeof method - 1) != NULL;
}

#endif
