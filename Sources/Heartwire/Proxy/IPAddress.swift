import CSystem

/// An IP address as bytes in network order: four of IPv4, sixteen of IPv6.
struct IPAddress: Equatable {
    let bytes: [UInt8]

    /// Dotted IPv4 or IPv6 without brackets and zone; nil for anything else.
    init?(parsing text: some Collection<UInt8>) {
        guard !text.contains(0) else { return nil }
        var bytes = [UInt8](repeating: 0, count: 16)
        let size = Int(hws_parse_address(text.map { CChar(bitPattern: $0) } + [0], &bytes))
        guard size > 0 else { return nil }
        self.bytes = Array(bytes.prefix(size))
    }

    /// True if the first `prefixLength` bits are those of `network` (RFC 4632 section 3.1).
    func isInside(_ network: IPAddress, prefixLength: Int) -> Bool {
        guard bytes.count == network.bytes.count, prefixLength >= 0, prefixLength <= bytes.count * 8 else { return false }
        for (index, (byte, other)) in zip(bytes, network.bytes).enumerated() {
            let bits = min(8, max(0, prefixLength - index * 8))
            let mask = UInt8(truncatingIfNeeded: 0xFF00 >> bits)
            if (byte ^ other) & mask != 0 { return false }
        }
        return true
    }
}
