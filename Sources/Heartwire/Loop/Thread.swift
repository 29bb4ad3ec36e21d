import CSystem

/// A thread of the library's own, with all signals blocked.
final class Thread: @unchecked Sendable {
    private var handle = pthread_t()
    private let name: StaticString
    private let body: () -> Void

    private init(_ name: StaticString, _ body: @escaping () -> Void) {
        self.name = name
        self.body = body
    }

    /// Starts a thread; nil if the system refuses one. The name has at most 15 bytes.
    static func start(_ name: StaticString, _ body: @escaping () -> Void) -> Thread? {
        let thread = Thread(name, body)
        let context = Unmanaged.passRetained(thread)
        let result = hws_thread_start(
            &thread.handle,
            { context in
                guard let context else { return nil }
                let thread = Unmanaged<Thread>.fromOpaque(context).takeRetainedValue()
                thread.name.withCString(hws_thread_name)
                thread.body()
                return nil
            }, context.toOpaque())
        guard result == 0 else {
            context.release()
            return nil
        }
        return thread
    }

    var isCurrent: Bool { pthread_equal(handle, pthread_self()) != 0 }

    /// The thread will not be joined; its resources go when it ends.
    func detach() {
        pthread_detach(handle)
    }
}
