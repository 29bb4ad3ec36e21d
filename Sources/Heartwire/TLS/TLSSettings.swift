import CHeartwire
import CSystem
import WebSocket

/// The tls properties that a context is made from. Contradictions between them are found here.
struct TLSSettings {
    /// Which end the context is for.
    let role: Role
    /// A client verifies unless it is told not to, a listener if it is told whom to trust.
    let verifies: Bool
    /// Empty, like those below, where the property is not set; and where nothing is verified.
    let caFile: [UInt8]
    let caDirectory: [UInt8]
    let caPEM: [UInt8]
    let certificateFile: [UInt8]
    let certificatePEM: [UInt8]
    let keyFile: [UInt8]
    let keyPEM: [UInt8]
    let keyPassword: [UInt8]
    let versionMin: Version

    enum Version: Int {
        case tls12 = 0
        case tls13 = 1
    }

    init(_ settings: Config.Settings, role: Role = .client) throws(ErrorDetails) {
        self.role = role
        let mayVerify = settings.boolean(.tlsVerify)
        let namesTrusted = [PropertyId.tlsCAFile, .tlsCADirectory, .tlsCAPEM].contains { !settings.bytes($0).isEmpty }
        verifies = role == .client ? mayVerify : namesTrusted
        caFile = verifies ? try settings.cString(.tlsCAFile) : []
        caDirectory = verifies ? try settings.cString(.tlsCADirectory) : []
        caPEM = verifies ? settings.bytes(.tlsCAPEM) : []
        certificateFile = try settings.cString(.tlsCertificateFile)
        certificatePEM = settings.bytes(.tlsCertificatePEM)
        keyFile = try settings.cString(.tlsKeyFile)
        keyPEM = settings.bytes(.tlsKeyPEM)
        keyPassword = settings.bytes(.tlsKeyPassword)
        versionMin = Version(rawValue: settings.choice(.tlsVersionMin)) ?? .tls12

        if !certificateFile.isEmpty && !certificatePEM.isEmpty {
            throw Self.conflict("tls.certificate_file and tls.certificate_pem are both set; this end has one certificate")
        }
        if !keyFile.isEmpty && !keyPEM.isEmpty {
            throw Self.conflict("tls.key_file and tls.key_pem are both set; a certificate has one key")
        }
        if !hasCertificate && (!keyFile.isEmpty || !keyPEM.isEmpty || !keyPassword.isEmpty) {
            throw Self.conflict("a private key or its password is set without tls.certificate_file or tls.certificate_pem")
        }
        guard role == .server else { return }
        if !hasCertificate {
            throw Self.conflict("a listener at a wss URL needs a certificate: set tls.certificate_file or tls.certificate_pem")
        }
        // What looks like a guard and guards nothing is worse than none.
        if verifies && !mayVerify {
            throw Self.conflict("tls.ca_file, tls.ca_dir or tls.ca_pem has a listener verify its clients, and tls.verify is false; set one")
        }
        if !settings.bytes(.tlsPins).isEmpty {
            throw Self.conflict("tls.pins names keys of servers; a listener verifies its clients by tls.ca_file, tls.ca_dir or tls.ca_pem")
        }
    }

    var hasCertificate: Bool { !certificateFile.isEmpty || !certificatePEM.isEmpty }

    private static func conflict(_ message: String) -> ErrorDetails {
        ErrorDetails(HW_E_CONFLICT, HW_LAYER_CONFIGURATION, message)
    }

    func equals(_ other: TLSSettings) -> Bool {
        role == other.role && verifies == other.verifies && versionMin == other.versionMin
            && zip(texts, other.texts).allSatisfy { $0.elementsEqual($1) }
    }

    private var texts: [[UInt8]] {
        [caFile, caDirectory, caPEM, certificateFile, certificatePEM, keyFile, keyPEM, keyPassword]
    }

    /// When the files were last changed.
    var fileStamps: [Int64] {
        [caFile, caDirectory, certificateFile, keyFile].map { path in
            path.isEmpty ? 0 : hws_file_stamp_ns(path.map { CChar(bitPattern: $0) } + [0])
        }
    }
}

extension Config.Settings {
    /// A text that C functions will read up to its first NUL.
    func cString(_ id: PropertyId) throws(ErrorDetails) -> [UInt8] {
        let text = bytes(id)
        guard !text.contains(0) else {
            let name = PropertyTable.properties[id.rawValue].name
            throw ErrorDetails(HW_E_VALUE, HW_LAYER_CONFIGURATION, "property '\(name)' holds a NUL, which cannot belong to it")
        }
        return text
    }
}
