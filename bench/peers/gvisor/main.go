// gVisor's netstack as a contender, on a TUN device that exists already. Echo on 7, discard on 9, chargen
// on 19. Says "ready" and ends with its input. Knows netstack; must not know what is measured.
//
//	gvisor DEVICE ADDRESS
package main

import (
	"fmt"
	"io"
	"net"
	"os"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/adapters/gonet"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	"gvisor.dev/gvisor/pkg/tcpip/link/fdbased"
	"gvisor.dev/gvisor/pkg/tcpip/link/tun"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv4"
	"gvisor.dev/gvisor/pkg/tcpip/stack"
	"gvisor.dev/gvisor/pkg/tcpip/transport/tcp"
)

const (
	mtu    = 1500
	chunk  = 256 << 10
	buffer = 4 << 20
)

func check(err error) {
	if err == nil {
		return
	}
	fmt.Fprintln(os.Stderr, "gvisor:", err)
	os.Exit(1)
}

// tcpip's errors are not Go's.
func checkStack(err tcpip.Error) {
	if err != nil {
		check(fmt.Errorf("%s", err))
	}
}

func openStack(device string, address tcpip.Address) *stack.Stack {
	s := stack.New(stack.Options{
		NetworkProtocols:   []stack.NetworkProtocolFactory{ipv4.NewProtocol},
		TransportProtocols: []stack.TransportProtocolFactory{tcp.NewProtocol},
	})
	receive := tcpip.TCPReceiveBufferSizeRangeOption{Min: 4 << 10, Default: buffer, Max: buffer}
	send := tcpip.TCPSendBufferSizeRangeOption{Min: 4 << 10, Default: buffer, Max: buffer}
	sack := tcpip.TCPSACKEnabled(true)
	checkStack(s.SetTransportProtocolOption(tcp.ProtocolNumber, &receive))
	checkStack(s.SetTransportProtocolOption(tcp.ProtocolNumber, &send))
	checkStack(s.SetTransportProtocolOption(tcp.ProtocolNumber, &sack))

	fd, err := tun.Open(device)
	check(err)
	link, err := fdbased.New(&fdbased.Options{FDs: []int{fd}, MTU: mtu})
	check(err)
	checkStack(s.CreateNIC(1, link))
	checkStack(s.AddProtocolAddress(1, tcpip.ProtocolAddress{
		Protocol:          ipv4.ProtocolNumber,
		AddressWithPrefix: address.WithPrefix(),
	}, stack.AddressProperties{}))
	s.SetRouteTable([]tcpip.Route{{Destination: header.IPv4EmptySubnet, NIC: 1}})
	return s
}

func serve(s *stack.Stack, port uint16, service func(net.Conn)) {
	listener, err := gonet.ListenTCP(s, tcpip.FullAddress{NIC: 1, Port: port}, ipv4.ProtocolNumber)
	check(err)
	go func() {
		for {
			connection, err := listener.Accept()
			check(err)
			go func() {
				defer connection.Close()
				service(connection)
			}()
		}
	}()
}

func echo(connection net.Conn) {
	bytes := make([]byte, 4096)
	for {
		n, err := connection.Read(bytes)
		if err != nil {
			return
		}
		if _, err := connection.Write(bytes[:n]); err != nil {
			return
		}
	}
}

func discard(connection net.Conn) {
	bytes := make([]byte, chunk)
	for {
		if _, err := connection.Read(bytes); err != nil {
			return
		}
	}
}

func chargen(connection net.Conn) {
	bytes := make([]byte, chunk)
	for {
		if _, err := connection.Write(bytes); err != nil {
			return
		}
	}
}

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: gvisor DEVICE ADDRESS")
		os.Exit(2)
	}
	s := openStack(os.Args[1], tcpip.Address(net.ParseIP(os.Args[2]).To4()))
	serve(s, 7, echo)
	serve(s, 9, discard)
	serve(s, 19, chargen)
	fmt.Println("ready")
	_, _ = io.ReadAll(os.Stdin)
}
