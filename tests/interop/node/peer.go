// Usage: peer serve CERT KEY GROUPS  - prints its port, answers each connection with a page
//
//	peer get PORT CA GROUPS     - asks for /, prints the status line and the group
//
// GROUPS are numbers with commas between them.
package main

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
)

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func groups(list string) (out []tls.CurveID) {
	for _, word := range strings.Split(list, ",") {
		number, err := strconv.ParseUint(word, 0, 16)
		check(err)
		out = append(out, tls.CurveID(number))
	}
	return out
}

func answer(conn net.Conn) {
	defer conn.Close()
	if _, err := bufio.NewReader(conn).ReadString('\n'); err == nil {
		fmt.Fprint(conn, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\nok\n")
	}
}

func serve(cert, key string, config *tls.Config) {
	pair, err := tls.LoadX509KeyPair(cert, key)
	check(err)
	config.Certificates = []tls.Certificate{pair}
	listener, err := tls.Listen("tcp", "127.0.0.1:0", config)
	check(err)
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	for {
		conn, err := listener.Accept()
		check(err)
		go answer(conn)
	}
}

func get(port, ca string, config *tls.Config) {
	pem, err := os.ReadFile(ca)
	check(err)
	config.RootCAs = x509.NewCertPool()
	config.RootCAs.AppendCertsFromPEM(pem)
	config.ServerName = "localhost"
	conn, err := tls.Dial("tcp", "127.0.0.1:"+port, config)
	check(err)
	fmt.Fprint(conn, "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
	line, err := bufio.NewReader(conn).ReadString('\n')
	check(err)
	fmt.Println(strings.TrimSpace(line), uint16(conn.ConnectionState().CurveID))
}

func main() {
	config := &tls.Config{MinVersion: tls.VersionTLS13, CurvePreferences: groups(os.Args[4])}
	if os.Args[1] == "serve" {
		serve(os.Args[2], os.Args[3], config)
	}
	get(os.Args[2], os.Args[3], config)
}
