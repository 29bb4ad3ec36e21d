/// The TLS contexts in use, one for all connections with the same settings. One that no connection holds any more, or whose files have
/// changed, is made anew, so a renewed file is noticed by the next connection that is opened.
final class TLSContexts: @unchecked Sendable {
    private struct Entry {
        let settings: TLSSettings
        let stamps: [Int64]
        var context: TLSContext
    }

    private let lock = Lock()
    private var entries: [Entry] = []

    func context(_ settings: TLSSettings) throws(ErrorDetails) -> TLSContext {
        let stamps = settings.fileStamps
        let made = lock.withLock { () -> Result<TLSContext, ErrorDetails> in
            for index in entries.indices.reversed() where isKnownUniquelyReferenced(&entries[index].context) {
                entries.remove(at: index)
            }
            if let entry = entries.first(where: { $0.stamps.elementsEqual(stamps) && $0.settings.equals(settings) }) {
                return .success(entry.context)
            }
            do throws(ErrorDetails) {
                let context = try TLSContext(settings)
                entries.append(Entry(settings: settings, stamps: stamps, context: context))
                return .success(context)
            } catch {
                return .failure(error)
            }
        }
        switch made {
        case .success(let context): return context
        case .failure(let error): throw error
        }
    }
}
