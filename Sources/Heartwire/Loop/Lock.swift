import CSystem
import Heartbeat

/// A mutex. Held for short, bounded work only, and never while code of the host runs.
final class Lock: @unchecked Sendable {
    fileprivate let mutex: UnsafeMutablePointer<pthread_mutex_t>

    @inline(never)
    init() {
        mutex = .allocate(capacity: 1)
        pthread_mutex_init(mutex, nil)
    }

    deinit {
        pthread_mutex_destroy(mutex)
        mutex.deallocate()
    }

    @inline(__always)
    func withLock<Result>(_ body: () -> Result) -> Result {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return body()
    }
}

/// A condition that belongs to a lock; waits are made with the lock held.
final class Condition: @unchecked Sendable {
    private let condition: UnsafeMutablePointer<pthread_cond_t>
    private let lock: Lock

    init(_ lock: Lock) {
        self.lock = lock
        condition = .allocate(capacity: 1)
        hws_condition_init(condition)
    }

    deinit {
        pthread_cond_destroy(condition)
        condition.deallocate()
    }

    func wake() {
        pthread_cond_broadcast(condition)
    }

    /// Waits until woken or until the deadline, if there is one; false when the deadline has passed. Wakes may be spurious.
    func wait(until deadline: Instant?) -> Bool {
        guard let deadline else { return pthread_cond_wait(condition, lock.mutex) == 0 }
        return hws_condition_wait_until(condition, lock.mutex, deadline.nanoseconds) == 0
    }
}
