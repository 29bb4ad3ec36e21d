import CHeartwire
import CSystem
import Session

/// The TLS contexts in use, one for each trust store. One that no connection holds any more, or whose file has changed, is made anew, so a
/// renewed CA file is noticed by the next connection that is opened.
final class TLSContexts: @unchecked Sendable {
    private struct Entry {
        let caFile: [UInt8]
        let stamp: Int64
        var context: TLSContext
    }

    private let lock = Lock()
    private var entries: [Entry] = []

    func context(caFile: [UInt8]) throws(ErrorDetails) -> TLSContext {
        let stamp = caFile.isEmpty ? 0 : hws_file_stamp_ns(caFile.map { CChar(bitPattern: $0) } + [0])
        let made = lock.withLock { () -> TLSContext.Made in
            for index in entries.indices.reversed() where isKnownUniquelyReferenced(&entries[index].context) {
                entries.remove(at: index)
            }
            if let entry = entries.first(where: { $0.stamp == stamp && $0.caFile.elementsEqual(caFile) }) {
                return .context(entry.context)
            }
            let made = TLSContext.make(caFile: caFile)
            if case .context(let context) = made { entries.append(Entry(caFile: caFile, stamp: stamp, context: context)) }
            return made
        }
        switch made {
        case .context(let context): return context
        case .failed(let failure):
            let isTrustStore = failure.kind == .certificate
            throw ErrorDetails(isTrustStore ? HW_E_TRUST_STORE : HW_E_SYSTEM, HW_LAYER_TLS, failure.sentence)
        }
    }
}
