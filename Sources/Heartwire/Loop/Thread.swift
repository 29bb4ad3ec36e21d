import CSystem

/// A thread of the library's own, with all signals blocked.
final class Thread: @unchecked Sendable {
    private var handle = pthread_t()
    private let body: () -> Void

    private init(_ body: @escaping () -> Void) {
        self.body = body
    }

    /// Starts a thread; nil if the system refuses one.
    static func start(_ body: @escaping () -> Void) -> Thread? {
        let thread = Thread(body)
        let context = Unmanaged.passRetained(thread)
        let result = hws_thread_start(
            &thread.handle,
            { context in
                Unmanaged<Thread>.fromOpaque(context!).takeRetainedValue().body()
                return nil
            }, context.toOpaque())
        guard result == 0 else {
            context.release()
            return nil
        }
        return thread
    }

    var isCurrent: Bool { pthread_equal(handle, pthread_self()) != 0 }

    func join() {
        pthread_join(handle, nil)
    }

    /// The thread will not be joined; its resources go when it ends.
    func detach() {
        pthread_detach(handle)
    }
}
