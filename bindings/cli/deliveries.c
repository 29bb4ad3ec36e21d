/* What waits in an inbox. */
#include "deliveries.h"

size_t take_deliveries(hw_inbox *inbox, const hw_delivery **deliveries)
{
    enum { BATCH = 256 };
    static hw_delivery batch[BATCH];
    size_t count = 0;
    *deliveries = batch;
    return hw_inbox_take(inbox, batch, BATCH, &count, 0) == HW_OK ? count : 0;
}
