import WebSocket

/// The ways out of a session's two places. The application's queue goes by the active one.
package struct Outboxes: ~Copyable {
    package let first: Outbox
    /// Most sessions never rotate.
    private let second: Late<Outbox>
    package private(set) var active = LinkPlace.first

    /// Sent on every connection, before the queue.
    package private(set) var kept: KeptMessages

    package init(first: Outbox, second: @escaping () -> Outbox, kept: KeptMessages) {
        self.first = first
        self.second = Late(second)
        self.kept = kept
    }

    package subscript(place: LinkPlace) -> Outbox {
        switch place {
        case .first: first
        case .second: second.value
        }
    }

    /// Nil if no rotation has needed the place yet.
    package func existing(_ place: LinkPlace) -> Outbox? {
        switch place {
        case .first: first
        case .second: second.existing
        }
    }

    /// The queue goes on by the other place; nothing of it may be on its way.
    mutating func activate(_ place: LinkPlace) {
        guard place != active else { return }
        self[active].exchangeQueue(with: self[place])
        // What is kept from now on is said on the new connection alone.
        self[active].forgetKeptSent()
        active = place
    }

    // MARK: Kept messages

    /// Keeps a message and sends it, if there is a connection that messages go by. One that is about to take over has had the others already,
    /// and gets it too.
    package mutating func keep(
        _ key: UnsafeRawBufferPointer, _ kind: MessageKind, _ payload: UnsafeRawBufferPointer
    ) -> Outbox.Admission {
        guard !self[active].isSealed else { return .closed }
        switch kept.admission(key, size: payload.count) {
        case .tooLarge: return .tooLarge
        case .full: return .full
        case .kept: break
        }
        if self[active].hasSentKept {
            let admission = self[active].sendKept(kind, payload)
            guard case .accepted = admission else { return admission }
        }
        if let other = existing(active.other), other.hasSentKept { other.sendOpening(kind, payload) }
        _ = kept.keep(key, kind, payload)
        return .accepted(id: 0)
    }

    /// A message that is kept no more is not sent again.
    package mutating func unkeep(_ key: UnsafeRawBufferPointer) -> Outbox.Admission {
        guard !self[active].isSealed else { return .closed }
        kept.remove(key)
        return .accepted(id: 0)
    }

    mutating func sendKept(_ place: LinkPlace) {
        let messages = kept
        messages.forEach { self[place].sendOpening($0, $1) }
        self[place].noteKeptSent()
    }

    /// Where the open connection `epoch` is; nil if it is over.
    package func place(ofEpoch epoch: UInt64) -> LinkPlace? {
        guard epoch > 0 else { return nil }
        if first.epoch == epoch { return .first }
        return second.existing?.epoch == epoch ? .second : nil
    }

    package var metrics: OutboxMetrics { second.existing.map { first.metrics + $0.metrics } ?? first.metrics }
}
