import WebSocket

/// The ways out of a session's two places. The application's queue goes by the active one.
package struct Outboxes: ~Copyable {
    package var first: Outbox
    package var second: Outbox
    package private(set) var active = LinkPlace.first

    package init(first: consuming Outbox, second: consuming Outbox) {
        self.first = first
        self.second = second
    }

    package subscript(place: LinkPlace) -> Outbox {
        _read {
            switch place {
            case .first: yield first
            case .second: yield second
            }
        }
        _modify {
            switch place {
            case .first: yield &first
            case .second: yield &second
            }
        }
    }

    /// The queue goes on by the other place; nothing of it may be on its way.
    mutating func activate(_ place: LinkPlace) {
        guard place != active else { return }
        if place == .second { first.exchangeQueue(with: &second) } else { second.exchangeQueue(with: &first) }
        active = place
    }

    /// Where the open connection `epoch` is; nil if it is over.
    package func place(ofEpoch epoch: UInt64) -> LinkPlace? {
        guard epoch > 0 else { return nil }
        if first.epoch == epoch { return .first }
        return second.epoch == epoch ? .second : nil
    }

    package var metrics: OutboxMetrics { first.metrics + second.metrics }
}
