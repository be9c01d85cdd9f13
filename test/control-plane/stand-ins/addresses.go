package main

import (
	"context"
	"fmt"
	"os"
	"sync/atomic"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
)

// addressAnnotation with the value "none" leaves a Service or an Ingress without an address, as a cloud
// out of quota would.
const addressAnnotation = "sim.tiphys.dev/address"

// addresses hands out 198.18.0.1 and on: the block that is set apart for benchmarks, so that nothing that
// takes an address at its word can reach anybody. The block has 131,070; a test cluster lives for minutes.
type addresses struct{ last atomic.Uint32 }

func (a *addresses) next() string {
	n := a.last.Add(1)
	return fmt.Sprintf("198.%d.%d.%d", 18+(n>>16)&1, (n>>8)&0xff, n&0xff)
}

// serveLoadBalancers gives an address to every Service of type LoadBalancer without a class of its own,
// takes it away when the type changes, and gives one to every Ingress.
func serveLoadBalancers(ctx context.Context, client kubernetes.Interface, factory informers.SharedInformerFactory) error {
	pool := &addresses{}
	_, err := factory.Core().V1().Services().Informer().AddEventHandler(onChange(func(service *corev1.Service) error {
		return serveService(ctx, client, pool, service)
	}))
	if err != nil {
		return err
	}
	_, err = factory.Networking().V1().Ingresses().Informer().AddEventHandler(onChange(func(ingress *networkingv1.Ingress) error {
		return serveIngress(ctx, client, pool, ingress)
	}))
	return err
}

func serveService(ctx context.Context, client kubernetes.Interface, pool *addresses, service *corev1.Service) error {
	wanted := service.Spec.Type == corev1.ServiceTypeLoadBalancer
	if service.DeletionTimestamp != nil || wanted == (len(service.Status.LoadBalancer.Ingress) > 0) {
		return nil
	}
	if wanted && (service.Spec.LoadBalancerClass != nil || service.Annotations[addressAnnotation] == "none") {
		return nil
	}
	changed := service.DeepCopy()
	changed.Status.LoadBalancer = corev1.LoadBalancerStatus{}
	if wanted {
		mode := corev1.LoadBalancerIPModeVIP
		changed.Status.LoadBalancer.Ingress = []corev1.LoadBalancerIngress{{IP: pool.next(), IPMode: &mode}}
	}
	ctx, cancel := context.WithTimeout(ctx, callDeadline)
	defer cancel()
	_, err := client.CoreV1().Services(service.Namespace).UpdateStatus(ctx, changed, metav1.UpdateOptions{})
	return err
}

func serveIngress(ctx context.Context, client kubernetes.Interface, pool *addresses, ingress *networkingv1.Ingress) error {
	if ingress.DeletionTimestamp != nil || len(ingress.Status.LoadBalancer.Ingress) > 0 || ingress.Annotations[addressAnnotation] == "none" {
		return nil
	}
	changed := ingress.DeepCopy()
	changed.Status.LoadBalancer.Ingress = []networkingv1.IngressLoadBalancerIngress{{IP: pool.next()}}
	ctx, cancel := context.WithTimeout(ctx, callDeadline)
	defer cancel()
	_, err := client.NetworkingV1().Ingresses(ingress.Namespace).UpdateStatus(ctx, changed, metav1.UpdateOptions{})
	return err
}

// onChange calls act for each object that is added or changed. A conflict needs no retry here: the change
// that caused it comes as the next event.
func onChange[T any](act func(T) error) cache.ResourceEventHandler {
	handle := func(object any) {
		typed, ok := object.(T)
		if !ok {
			return
		}
		if err := act(typed); err != nil && !apierrors.IsConflict(err) && !apierrors.IsNotFound(err) {
			fmt.Fprintln(os.Stderr, "stand-in:", err)
		}
	}
	return cache.ResourceEventHandlerFuncs{
		AddFunc:    handle,
		UpdateFunc: func(_, object any) { handle(object) },
	}
}
