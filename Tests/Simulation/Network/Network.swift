import Heartbeat
import Session
import WebSocket

/// The way from the clients to the hosts: which host a name means, and how well the bytes travel now.
final class Network {
    enum Connected {
        case line(Line)
        case failure(TransportFailure)
    }

    let timeline: Timeline
    private let dice: Dice
    let hosts: [Host]
    private(set) var lines: [Line] = []
    private var linesMade = 0
    /// Drawn anew for each line from these.
    private var qualities: [Half.Quality]
    /// The most that a line may have had ready for a client at once.
    private(set) var receiveBufferMax: Int
    private var connectDelayMax: Interval

    init(_ timeline: Timeline, _ dice: Dice, _ hosts: [Host], _ qualities: [Half.Quality], connectDelayMax: Interval) {
        self.timeline = timeline
        self.dice = dice
        self.hosts = hosts
        self.qualities = qualities
        receiveBufferMax = qualities.map(\.receiveBuffer).max() ?? 0
        self.connectDelayMax = connectDelayMax
    }

    /// Resolving, TCP and TLS in one. `then` is called once, or never.
    func connect(_ url: URL, _ then: @escaping (Connected) -> Void) {
        let host = hosts.first { $0.name.elementsEqual(url.host) && $0.port == url.port }
        let quality = dice.pick(qualities)
        let delay = quality.latency + quality.latency + dice.time(.zero, connectDelayMax)
        guard let host else {
            timeline.after(delay) { then(.failure(Self.unresolved)) }
            return
        }
        let door = host.door()
        host.attempted(door)
        switch door {
        case .unreachable:
            timeline.after(delay) { then(.failure(Self.refused)) }
        case .unresolved:
            timeline.after(delay) { then(.failure(Self.unresolved)) }
        case .badCertificate:
            timeline.after(delay) { then(.failure(Self.certificate)) }
        case .silent:
            return
        case .open, .mute, .answer, .wrongProof, .cutAnswer, .trickle:
            timeline.after(delay) { [self] in
                guard !host.isDown else { return then(.failure(Self.refused)) }
                linesMade += 1
                let line = Line(number: linesMade, timeline, dice.fork(), quality)
                lines.removeAll { $0.isBroken || $0.toServer.isAtEnd && $0.toClient.isAtEnd }
                lines.append(line)
                host.accept(line, door)
                then(.line(line))
            }
        }
    }

    /// Everything gets through again, and fast.
    func reform() {
        var quality = Half.Quality()
        quality.latency = .milliseconds(1)
        qualities = [quality]
        receiveBufferMax = max(receiveBufferMax, quality.receiveBuffer)
        connectDelayMax = .milliseconds(10)
        for line in lines {
            // What is on its way has come as fast as it did.
            for half in [line.toServer, line.toClient] {
                let latency = min(quality.latency, half.quality.latency)
                half.quality = quality
                half.quality.latency = latency
            }
            line.release()
        }
    }

    private static let unresolved = TransportFailure(kind: .resolve, nativeCode: -2, sentence: "the name is unknown")
    private static let refused = TransportFailure(kind: .connect, nativeCode: 111, sentence: "the connection was refused")
    private static let certificate = TransportFailure(kind: .certificate, nativeCode: 10, sentence: "the certificate has expired")
}
