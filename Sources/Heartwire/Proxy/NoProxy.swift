import WebSocket

/// The list of the environment variable no_proxy: hosts that are reached without a proxy, as curl reads it, and ports besides.
///
/// Entries are separated by commas or blanks. "example.org" and ".example.org" stand for the name and all below it, an IP address for
/// itself, "10.0.0.0/8" for a network, "*" for everything. An entry may end in a port, and is then for that port alone.
enum NoProxy {
    static func covers(_ list: [UInt8], host: [UInt8], port: UInt16) -> Bool {
        // A zone says which interface leads to the address; it is no part of it.
        let address = IPAddress(parsing: host.prefix { $0 != 0x25 })
        return list.split { $0 == 0x2C || $0 == 0x20 || $0 == 0x09 }.contains { entry in
            if entry.elementsEqual([0x2A]) { return true }
            guard let (target, targetPort) = split(entry), targetPort == nil || targetPort == port else { return false }
            if let address { return matches(target, address) }
            return matches(target, host)
        }
    }

    /// The entry without brackets, and its port; nil if it is malformed. More than one colon makes an IPv6 address, which has a port only
    /// behind brackets.
    private static func split(_ entry: ArraySlice<UInt8>) -> (target: ArraySlice<UInt8>, port: UInt16?)? {
        let isBracketed = entry.first == 0x5B
        let portColon: Int?
        let target: ArraySlice<UInt8>
        if isBracketed {
            guard let end = entry.firstIndex(of: 0x5D) else { return nil }
            target = entry[(entry.startIndex + 1)..<end]
            let after = entry[(end + 1)...]
            guard after.isEmpty || after.first == 0x3A else { return nil }
            portColon = after.isEmpty ? nil : after.startIndex
        } else {
            let colon = entry.firstIndex(of: 0x3A)
            portColon = colon == entry.lastIndex(of: 0x3A) ? colon : nil
            target = entry[..<(portColon ?? entry.endIndex)]
        }
        guard let portColon else { return (target, nil) }
        guard let port = ASCII.decimal(entry[(portColon + 1)...], max: 65535) else { return nil }
        return (target, UInt16(port))
    }

    private static func matches(_ target: ArraySlice<UInt8>, _ address: IPAddress) -> Bool {
        let slash = target.firstIndex(of: 0x2F)
        guard let network = IPAddress(parsing: target[..<(slash ?? target.endIndex)]) else { return false }
        guard let slash else { return network == address }
        guard let length = ASCII.decimal(target[(slash + 1)...], max: 128) else { return false }
        return address.isInside(network, prefixLength: Int(length))
    }

    private static func matches(_ target: ArraySlice<UInt8>, _ host: [UInt8]) -> Bool {
        let domain = withoutFinalDot(target.first == 0x2E ? target.dropFirst() : target)
        let name = withoutFinalDot(host[...])
        guard !domain.isEmpty, name.count >= domain.count else { return false }
        let tail = name.suffix(domain.count)
        guard zip(tail, domain).allSatisfy({ ASCII.lowercased($0) == ASCII.lowercased($1) }) else { return false }
        return tail.startIndex == name.startIndex || name[tail.startIndex - 1] == 0x2E
    }

    private static func withoutFinalDot(_ name: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        name.last == 0x2E ? name.dropLast() : name
    }
}
