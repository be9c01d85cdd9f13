// Command stand-ins plays what a control plane has around it and a test machine has not: nodes with
// kubelets (kwok), and a cloud that gives addresses to load balancers and ingresses, and disks to claims.
//
//	stand-ins --kubeconfig FILE --config STAGES.yaml [other flags of kwok]
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/kwok/pkg/config"
	"sigs.k8s.io/kwok/pkg/kwok/cmd"
	"sigs.k8s.io/kwok/pkg/log"
	"sigs.k8s.io/kwok/pkg/utils/signals"
)

func main() {
	if os.Getenv("TIPHYS_EXIT_WITH_STDIN") != "" {
		go exitWithStdin()
	}
	if err := run(signals.SetupSignalContext()); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	flags := pflag.NewFlagSet("stand-ins", pflag.ContinueOnError)
	flags.ParseErrorsWhitelist.UnknownFlags = true
	flags.Usage = func() {}
	ctx, _ = log.InitFlags(ctx, flags)
	ctx, err := config.InitFlags(ctx, flags)
	if err != nil {
		return err
	}
	command := cmd.NewCommand(ctx)
	command.PersistentFlags().AddFlagSet(flags)
	kubelets := command.RunE
	command.RunE = func(command *cobra.Command, arguments []string) error {
		go func() { cancel(runCloud(ctx, command.Flag("kubeconfig").Value.String())) }()
		return kubelets(command, arguments)
	}
	err = command.ExecuteContext(ctx)
	if cause := context.Cause(ctx); !errors.Is(cause, context.Canceled) {
		err = errors.Join(err, cause)
	}
	return err
}

// runCloud returns when the context ends or the cluster refuses the objects that everything else needs.
func runCloud(ctx context.Context, kubeconfig string) error {
	client, err := connect(kubeconfig)
	if err != nil {
		return err
	}
	if err := prepare(ctx, client); err != nil {
		return fmt.Errorf("prepare nodes and storage class: %w", err)
	}
	factory := informers.NewSharedInformerFactory(client, 0)
	if err := errors.Join(serveLoadBalancers(ctx, client, factory), serveVolumes(ctx, client, factory)); err != nil {
		return err
	}
	factory.Start(ctx.Done())
	<-ctx.Done()
	return nil
}

func connect(kubeconfig string) (kubernetes.Interface, error) {
	settings, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return nil, err
	}
	settings.QPS = -1 // a test that makes a thousand services measures itself, not our client's manners
	return kubernetes.NewForConfig(settings)
}

// callDeadline bounds one request to the API server.
const callDeadline = 10 * time.Second

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
