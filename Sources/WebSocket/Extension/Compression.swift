/// Raw deflate streams (RFC 1951) as permessage-deflate needs them, supplied by whoever has zlib: this module has no code of its own for it.

package protocol Inflater: AnyObject {
    /// Inflates `input` from `consumed` on until the input or the room in `output` is used up. Gives the number of bytes written, or nil if
    /// the data is not valid. With a full output more may be waiting, even when all input is consumed.
    func inflate(_ input: UnsafeRawBufferPointer, consumed: inout Int, into output: UnsafeMutableRawBufferPointer) -> Int?
    /// Forgets the window: the next message refers to nothing before it.
    func reset()
}

package protocol Deflater: AnyObject {
    /// Appends the compressed form of `input`, flushed to a byte boundary: it ends with the four bytes of an empty stored block
    /// (RFC 7692 section 7.2.1). False if the stream is broken.
    func deflate(_ input: UnsafeRawBufferPointer, into output: inout ByteQueue) -> Bool
    /// Forgets the window.
    func reset()
}

/// Makes the two streams of a connection; nil if there is no memory for one.
package protocol CompressionProvider: AnyObject {
    func inflater(windowBits: Int) -> (any Inflater)?
    func deflater(windowBits: Int) -> (any Deflater)?
}

/// How received messages are inflated.
package struct Decompression {
    package let inflater: any Inflater
    package let keepsContext: Bool

    package init(inflater: any Inflater, keepsContext: Bool) {
        self.inflater = inflater
        self.keepsContext = keepsContext
    }
}

/// How sent messages are deflated.
package struct Compression {
    package let deflater: any Deflater
    package let windowBits: Int
    package let keepsContext: Bool
    /// Smaller messages are sent as they are.
    package let threshold: Int

    package init(deflater: any Deflater, windowBits: Int = 15, keepsContext: Bool, threshold: Int) {
        self.deflater = deflater
        self.windowBits = windowBits
        self.keepsContext = keepsContext
        self.threshold = threshold
    }

    /// The empty stored block that ends every flush: not sent at the end of a message, and put back before inflating one
    /// (RFC 7692 sections 7.2.1 and 7.2.2).
    package static let tail: [UInt8] = [0x00, 0x00, 0xFF, 0xFF]
}
