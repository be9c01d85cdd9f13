// Command kubernetes is the real control plane that the tests run against: etcd, kube-apiserver,
// kube-controller-manager and kube-scheduler in one file, because one link of their shared packages
// is a quarter of the size and the build time of four. Each part is the upstream command, unchanged.
//
// The part is chosen by the name of the file (a link named after the part) or by the first argument.
package main

import (
	"fmt"
	"os"
	"path/filepath"
	_ "time/tzdata" // CronJobs with a time zone, on machines without a zone database

	"go.etcd.io/etcd/server/v3/etcdmain"
	"k8s.io/component-base/cli"
	_ "k8s.io/component-base/metrics/prometheus/clientgo" // the metrics that the upstream commands register
	_ "k8s.io/component-base/metrics/prometheus/version"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllermanager "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
)

var parts = map[string]func() int{
	"certs":                   func() int { return report(writeCertificates(os.Args[1:])) },
	"etcd":                    func() int { etcdmain.Main(os.Args); return 0 },
	"kube-apiserver":          func() int { return cli.Run(apiserver.NewAPIServerCommand()) },
	"kube-controller-manager": func() int { return cli.Run(controllermanager.NewControllerManagerCommand()) },
	"kube-scheduler":          func() int { return cli.Run(scheduler.NewSchedulerCommand()) },
}

func main() {
	part := filepath.Base(os.Args[0])
	run, known := parts[part]
	if !known && len(os.Args) > 1 {
		// The upstream commands read os.Args themselves.
		os.Args = os.Args[1:]
		part = os.Args[0]
		run, known = parts[part]
	}
	if !known {
		fmt.Fprintln(os.Stderr, "usage: kubernetes certs|etcd|kube-apiserver|kube-controller-manager|kube-scheduler ARGUMENTS...")
		os.Exit(2)
	}
	if os.Getenv("TIPHYS_EXIT_WITH_STDIN") != "" {
		go exitWithStdin()
	}
	os.Exit(run())
}

// exitWithStdin ends this process when the other end of its standard input closes. The launcher holds
// that end, so that nothing outlives it, not even when it is killed without a chance to clean up.
func exitWithStdin() {
	buffer := make([]byte, 64)
	for {
		if _, err := os.Stdin.Read(buffer); err != nil {
			os.Exit(0)
		}
	}
}

func report(err error) int {
	if err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		return 1
	}
	return 0
}
