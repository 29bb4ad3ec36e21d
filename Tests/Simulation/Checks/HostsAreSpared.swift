import Heartbeat
import Session

/// All connections of the process together begin no more attempts at a host in any minute than the budget has; none while its circuit is open;
/// and when that time is over one at a time, until one of them has found the host well.
final class HostsAreSpared: Checker {
    private let ledger: HostLedger
    /// Of this client's attempt that has begun and not come to a verdict.
    private var isTrying = false
    private var began = Instant(nanoseconds: 0)
    /// Attempts are told ahead of the events that explain them.
    private var hasAttemptBegun = false
    /// The event before was the end of an established connection, so that the host had been found well.
    private var wasClosed = false

    private var policy: HostGate.Policy { world.plan.gate }

    override init(_ client: Client) {
        ledger = client.world.ledger(of: client.plan.host)
        super.init(client)
    }

    override func see(_ fact: Fact) {
        switch fact {
        case .attemptBegan: if !plan.session.asksBeforeConnect { hasAttemptBegun = true }
        case .event(let event): take(event)
        case .settled:
            if hasAttemptBegun { begin() }
            hasAttemptBegun = false
        case .released: concluded(.unknown)
        default: break
        }
    }

    private func take(_ event: Event) {
        switch event.kind {
        case .connectDue: begin()
        case .opened: concluded(.well)
        case .attemptFailed(.beforeConnect, _, _):
            takeBack()
            concluded(.unknown)
        case .attemptFailed(let failure, _, _): if !wasClosed { concluded(health(failure)) }
        case .rotation(.failed, nil, _): concluded(.unknown)
        case .stateChanged: if event.state.isFinal { concluded(.unknown) }
        default: break
        }
        if case .closed = event.kind { wasClosed = true } else { wasClosed = false }
    }

    private func begin() {
        isTrying = true
        began = now
        ledger.attempts = ledger.attempts.filter { now - $0 < .seconds(60) } + [now]
        let most = policy.attemptsPerMinuteMax
        expect(
            most == 0 || ledger.attempts.count <= most,
            "\(ledger.attempts.count) attempts have begun within a minute, the budget is \(most)")
        guard policy.failuresMax > 0 else { return }
        switch ledger.circuit {
        case .closed: return
        case .open(let until):
            expect(now >= until, "an attempt begins \((until - now).text) before the open circuit lets one through")
        case .halfOpen(let prober, let since):
            let isFree = prober == client.number || now - since >= HostLedger.probeTimeMax
            expect(isFree, "an attempt begins while client \(prober) probes the host")
        }
        ledger.circuit = .halfOpen(prober: client.number, since: now)
    }

    /// What was not made costs nothing.
    private func takeBack() {
        if let index = ledger.attempts.lastIndex(of: began) { ledger.attempts.remove(at: index) }
    }

    /// The attempt under way, if there is one, has told this of the host.
    private func concluded(_ health: HostGate.Health) {
        guard isTrying, policy.failuresMax > 0 else { return }
        isTrying = false
        switch ledger.circuit {
        case .closed:
            guard health == .unwell else { return }
            ledger.failures = ledger.failures.filter { now - $0 < policy.window } + [now]
            if ledger.failures.count >= policy.failuresMax { ledger.circuit = .open(until: now + policy.openFor) }
        case .halfOpen(client.number, _):
            if health == .well { ledger.failures = [] }
            ledger.circuit = health == .well ? .closed : .open(until: health == .unwell ? now + policy.openFor : now)
        case .open, .halfOpen:
            return
        }
    }

    private func health(_ failure: Failure) -> HostGate.Health {
        switch failure {
        case .transport(let failure): failure.kind == .resolve ? .unknown : failure.kind == .certificate ? .well : .unwell
        case .handshake(.refused(let refusal)): refusal.status == 429 || refusal.status >= 500 ? .unwell : .well
        case .connectTimeout, .handshakeTimeout: .unwell
        case .beforeConnect: .unknown
        default: .well
        }
    }
}

/// What all clients of a process have done to a host, and how its circuit must stand.
final class HostLedger {
    enum Circuit {
        case closed
        case open(until: Instant)
        case halfOpen(prober: Int, since: Instant)
    }

    /// A prober that takes longer keeps nobody from trying.
    static let probeTimeMax = Interval.seconds(60)

    /// When those of the last minute began.
    var attempts: [Instant] = []
    /// When those failed, of the last `window`, that say that the host is unwell.
    var failures: [Instant] = []
    var circuit = Circuit.closed
}
