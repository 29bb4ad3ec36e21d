import Heartbeat
import Session

/// On every connection the kept messages are sent in the order in which their keys were first given, behind the opening script and before any
/// message of the queue; what is kept later is sent too, and what is replaced or removed is not sent on later connections.
final class KeptAreReplayed: Checker {
    private struct Told {
        var versions: Set<Int> = []
        var lastRank = 0
    }

    private var versions: [Int: Kept] = [:]
    private var told: [Int: Told] = [:]
    private var loggedIn: Set<Int> = []

    override func see(_ fact: Fact) {
        switch fact {
        case .kept(let kept): versions[kept.version] = kept
        case .serverGot(let got): take(got)
        case .nothingUnderway: checkCurrent()
        default: break
        }
    }

    private func take(_ got: Got) {
        switch got.what {
        case .login: loggedIn.insert(got.peer.number)
        case .kept(let key, let version): take(key, version, got)
        case .message: checkComplete(got)
        default: break
        }
    }

    private func take(_ key: Int, _ version: Int, _ got: Got) {
        let number = got.peer.number
        checkLoggedIn(got)
        guard let kept = versions[version], kept.key == key, let connection = client.connections.last(where: { $0.number == number }) else {
            return fail("connection \(number) got key \(key), version \(version), which was never kept, or before it was open")
        }
        var told = told[number, default: Told()]
        expect(told.versions.insert(version).inserted, "connection \(number) got key \(key), version \(version), twice")
        if let until = kept.until {
            expect(
                until >= connection.openedAt.time,
                "connection \(number) got key \(key), version \(version), which was gone before it opened")
        }
        if kept.since < connection.openedAt.time {
            expect(kept.rank > told.lastRank, "connection \(number) got key \(key) out of its order")
            told.lastRank = kept.rank
        }
        self.told[number] = told
    }

    private func checkLoggedIn(_ got: Got) {
        guard plan.script != .none else { return }
        expect(loggedIn.contains(got.peer.number), "connection \(got.peer.number) got \(got.what.text) before the login")
    }

    /// With the first message of the queue everything that was kept all the time has been sent.
    private func checkComplete(_ got: Got) {
        checkLoggedIn(got)
        let number = got.peer.number
        guard let connection = client.connections.last(where: { $0.number == number }) else { return }
        checkComplete(connection, until: now)
    }

    private func checkComplete(_ connection: Connection, until time: Instant) {
        let versions = told[connection.number]?.versions ?? []
        for kept in client.kept.values.sorted(by: { $0.rank < $1.rank }) where kept.since < connection.openedAt.time {
            expect(versions.contains(kept.version), "connection \(connection.number) did not get key \(kept.key), version \(kept.version)")
        }
    }

    /// After a calm time the server has every kept message in its last version.
    private func checkCurrent() {
        guard let active = client.active, client.driver.state == .connected else { return }
        let versions = told[active.number]?.versions ?? []
        for kept in client.kept.values.sorted(by: { $0.rank < $1.rank }) {
            expect(versions.contains(kept.version), "key \(kept.key) is kept in version \(kept.version), and the server does not have it")
        }
    }
}
