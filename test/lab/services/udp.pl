# A UDP service for the lab: answers each datagram with a status, 200 to "/" and else 404, and logs as nginx-proxy does.
use strict; use warnings;
use POSIX qw(strftime);
use Socket qw(:all);
$| = 1;
socket(my $socket, PF_INET6, SOCK_DGRAM, 0) or die $!;
setsockopt($socket, IPPROTO_IPV6, IPV6_V6ONLY, 0);
bind($socket, pack_sockaddr_in6($ARGV[0], IN6ADDR_ANY)) or die $!;
while (my $peer = recv($socket, my $path, 1024, 0)) {
  my ($port, $address) = unpack_sockaddr_in6($peer);
  my $ip = inet_ntop(AF_INET6, $address) =~ s/^::ffff://r;
  my $status = $path eq '/' ? 200 : 404;
  my $time = strftime('%d/%b/%Y:%H:%M:%S +0000', gmtime);
  print qq(app.example.com $ip - - [$time] "GET $path HTTP/1.1" $status 1 "-" "-" "-"\n);
  send($socket, $status, 0, $peer);
}
