import Heartbeat

/// One TCP connection, with a half for each direction, as the two kernels see it.
final class Line {
    enum End {
        /// The peer finished: end of file.
        case finished
        /// ECONNRESET, or nobody acknowledges anything any more.
        case broken
    }

    let number: Int
    let toServer: Half
    let toClient: Half
    /// Called when the line breaks, before what was on its way is forgotten.
    var serverHears: () -> Void = {}
    var clientHears: () -> Void = {}
    private(set) var isBroken = false
    /// Held for good: neither side will ever hear of the other again.
    private(set) var isBlackhole = false
    private(set) var clientHasClosed = false

    init(number: Int, _ timeline: Timeline, _ dice: Dice, _ quality: Half.Quality) {
        self.number = number
        toServer = Half(timeline, dice, quality)
        toClient = Half(timeline, dice, quality)
        toServer.onCut = { [unowned self] in breakDown() }
        toClient.onCut = { [unowned self] in breakDown() }
    }

    /// What has arrived at the client can still be read; nothing else moves any more.
    func breakDown() {
        guard !isBroken else { return }
        isBroken = true
        let (server, client) = (serverHears, clientHears)
        (serverHears, clientHears) = ({}, {})
        server()
        toServer.kill()
        toClient.kill()
        client()
    }

    /// The client closes its socket: what it has written still arrives, unless it left something unread, for which its kernel resets.
    func closeClient(isReset: Bool) {
        guard !clientHasClosed else { return }
        clientHasClosed = true
        clientHears = {}
        toClient.onReadable = {}
        toServer.onWritable = {}
        if isReset && toClient.readable > 0 { breakDown() } else { toServer.finish() }
    }

    func hold(until time: Instant) {
        toServer.hold(until: time)
        toClient.hold(until: time)
        if time == .never { isBlackhole = true }
    }

    func release() {
        guard !isBlackhole else { return breakDown() }
        toServer.release()
        toClient.release()
    }
}
