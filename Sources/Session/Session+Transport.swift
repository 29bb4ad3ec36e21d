import Heartbeat
import WebSocket

/// What the transports report, and what the peer says. Each input names the place that its connection has.
extension Session {
    /// `unixTime` is the present in seconds since 1970: dates in the server's answer are compared with it.
    package mutating func transportOpened(_ place: LinkPlace, _ nonce: HandshakeNonce, unixTime: Int64, _ outboxes: inout Outboxes) {
        let link = link(place)
        guard case .connecting(let deadline) = link.phase else { return }
        let handshake = ClientHandshake(
            nonce: nonce, subprotocols: configuration.subprotocols, compression: configuration.compression?.offer,
            headSizeMax: configuration.handshakeSizeMax, followsRedirects: link.route.followsRedirects, unixTime: unixTime)
        outboxes[place].beginHandshake(handshake.request(url: link.route.url, fields: link.route.allowed(link.headerFields)))
        link.handshake = handshake
        link.phase = .handshaking(deadline: deadline)
    }

    /// The transport could not be opened, broke, or was ended by the peer.
    package mutating func transportEnded(
        _ place: LinkPlace, _ failure: TransportFailure, _ now: Instant, _ outboxes: inout Outboxes
    ) {
        let link = link(place)
        switch link.phase {
        case .preparing where configuration.acceptance != nil:
            attemptFailed(link, .transport(failure), now, &outboxes)
        case .idle, .preparing:
            return
        case .connecting:
            attemptFailed(link, .transport(failure), now, &outboxes)
        case .handshaking where configuration.acceptance != nil:
            attemptFailed(link, .transport(failure), now, &outboxes)
        case .handshaking:
            let refusal = link.handshake?.unfinishedRefusal
            attemptFailed(link, refusal.map { .handshake($0) } ?? .transport(failure.beforeTheAnswer), now, &outboxes)
        case .opening, .open, .closing:
            let frame = CloseFrame(code: CloseCode.abnormal, reason: [])
            end(link, Link.Ending(frame: frame, byPeer: false, failure: .transport(failure)), now, &outboxes)
        case .answering where failure.isEndOfStream:
            // Whoever has nothing more to say may still read.
            return
        case .answering:
            finish(.disconnected, reason: nil, now, &outboxes)
        case .draining(let ending, _):
            end(link, ending, now, &outboxes)
        }
    }

    /// Reads from `input` at `consumed`. Complete messages join the batch; anything else is an outcome to be passed on.
    package mutating func read(
        _ place: LinkPlace, _ input: UnsafeMutableRawBufferPointer, consumed: inout Int, into batch: inout MessageBatch
    ) -> ReadOutcome {
        let link = link(place)
        switch link.phase {
        case .opening, .open, .closing:
            switch link.reader.read(input, consumed: &consumed, into: &batch) {
            case .needsInput: return .needsInput
            case .deliver: return .deliver
            case .control(let opcode, let payload): return .control(opcode, payload: payload)
            case .failed(let error): return .failed(error)
            }
        case .handshaking where configuration.acceptance != nil:
            return readRequest(link, UnsafeRawBufferPointer(input), &consumed)
        case .handshaking:
            do throws(HandshakeError) {
                let agreement = try link.handshake?.read(UnsafeRawBufferPointer(input), consumed: &consumed)
                return agreement.map { .opened($0) } ?? .needsInput
            } catch {
                return .refused(error)
            }
        case .idle, .preparing, .connecting, .answering, .draining:
            consumed = input.count
            return .needsInput
        }
    }

    private func readRequest(_ link: Link, _ input: UnsafeRawBufferPointer, _ consumed: inout Int) -> ReadOutcome {
        do throws(RequestError) {
            let request = try link.request?.read(input, consumed: &consumed)
            return request.map { .requested($0) } ?? .needsInput
        } catch {
            return .requestRefused(error)
        }
    }

    /// So many bytes and messages arrived in one turn; keeps the counters and the liveness clock.
    package mutating func received(_ place: LinkPlace, bytes: Int, messages: Int, _ now: Instant) {
        let link = link(place)
        guard link.isEstablished else { return }
        metrics.bytesReceived &+= UInt64(bytes)
        if bytes > 0 {
            metrics.lastBytesAt = now
            link.lastBytesAt = now
            link.heartbeats.bytesReceived(now)
        }
        if messages > 0 {
            metrics.messagesReceived &+= UInt64(messages)
            metrics.lastMessageAt = now
        }
    }

    package mutating func handshakeSucceeded(
        _ place: LinkPlace, _ agreement: Agreement, _ now: Instant, _ outboxes: inout Outboxes
    ) {
        let link = link(place)
        guard case .handshaking = link.phase else { return }
        var streams: (decompression: Decompression, compression: Compression?)?
        if let parameters = agreement.compression {
            streams = configuration.compression?.streams(parameters, configuration.role)
            guard streams != nil else {
                attemptFailed(link, .transport(Self.noMemoryForCompression), now, &outboxes)
                return
            }
        }
        link.visitor.attemptEnded(.well, now)
        reportCircuit(link, now)
        lastEpoch &+= 1
        link.epoch = lastEpoch
        (link.openedAt, link.lastBytesAt) = (now, now)
        link.reader = FrameReader(role: configuration.role, limits: configuration.messages, decompression: streams?.decompression)
        link.pongBudget = PongBudget(perSecondMax: configuration.pongsPerSecondMax, now)
        link.arrivals = ArrivalProof()
        link.handshake = nil
        link.isReady = false
        link.isReadingPaused = false
        link.phase = .opening
        beginOverlap(link)
        outboxes[place].open(streams?.compression, epoch: link.epoch)
        emit(.opened(agreement), link, now)
        outboxes[place].observeQueue()
        link.heartbeats.connectionOpened(now, salt: random.next())
        carryOut(link, now, &outboxes)
        beginOpening(link, now, &outboxes)
    }

    package mutating func handshakeFailed(_ place: LinkPlace, _ error: HandshakeError, _ now: Instant, _ outboxes: inout Outboxes) {
        let link = link(place)
        guard case .handshaking(let deadline) = link.phase else { return }
        do throws(HandshakeError) {
            try followRedirect(link, error)
            outboxes[place].connectionEnded()
            link.phase = .connecting(deadline: deadline)
            actions += [.closeTransport(place), .openTransport(place)]
        } catch {
            attemptFailed(link, .handshake(error), now, &outboxes)
        }
    }

    /// Turns the route to where a redirect points; throws the error to report if it is not to be followed.
    private func followRedirect(_ link: Link, _ error: HandshakeError) throws(HandshakeError) {
        guard case .refused(let refusal) = error else { throw error }
        let isFollowed: Bool
        do throws(RedirectError) {
            isFollowed = try link.route.follow(refusal)
        } catch let reason {
            throw .redirect(reason, refusal)
        }
        if !isFollowed { throw error }
    }

    package mutating func controlReceived(
        _ place: LinkPlace, _ opcode: Opcode, payload: UnsafeRawBufferPointer, _ now: Instant, _ outboxes: inout Outboxes
    ) {
        let link = link(place)
        switch opcode {
        case .ping:
            metrics.pingsReceived &+= 1
            let isWithinBudget = link.pongBudget.spend(now)
            outboxes[place].pong(payload, received: now, atOnce: isWithinBudget)
            // A flood of pings is answered with few pongs, and does not become a flood of events.
            link.heartbeats.pingReceived(payload, isReported: isWithinBudget, now)
            carryOut(link, now, &outboxes)
        case .pong:
            link.heartbeats.pongReceived(payload, now)
            carryOut(link, now, &outboxes)
        case .close:
            do throws(ProtocolError) {
                closeReceived(link, try CloseFrame(payload: payload), now, &outboxes)
            } catch {
                protocolFailed(place, error, now, &outboxes)
            }
        case .continuation, .text, .binary:
            break
        }
    }

    /// The peer broke the protocol: say so, and hear no more of it (RFC 6455 section 7.1.7).
    @inline(never)
    package mutating func protocolFailed(_ place: LinkPlace, _ error: ProtocolError, _ now: Instant, _ outboxes: inout Outboxes) {
        let frame = CloseFrame(code: error.closeCode, reason: error.phrase.bytes)
        failConnection(link(place), .protocolViolation(error), frame, timeout: configuration.closeTimeout, now, &outboxes)
    }

    /// The application does not take its messages, and asked for the connection to be closed then.
    package mutating func consumerTooSlow(_ place: LinkPlace, _ now: Instant, _ outboxes: inout Outboxes) {
        let reason = ASCII.bytes("the receiver is too slow")
        let frame = CloseFrame(code: CloseCode.policyViolation, reason: reason)
        failConnection(link(place), .slowConsumer, frame, timeout: configuration.closeTimeout, now, &outboxes)
    }

    package mutating func readingPaused(_ place: LinkPlace, _ now: Instant) {
        let link = link(place)
        link.isReadingPaused = true
        link.heartbeats.readingPaused(now)
        link.script?.pause(now)
        retirementPaused(link)
    }

    package mutating func readingResumed(_ place: LinkPlace, _ now: Instant) {
        let link = link(place)
        link.isReadingPaused = false
        link.heartbeats.readingResumed(now)
        link.script?.resume(now)
        retirementResumed(link, now)
    }
}
