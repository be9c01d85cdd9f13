package main

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

// Two nodes, so that spreading, DaemonSets and node selectors have something to choose from.
const nodeCount = 2

// prepare makes the two nodes and the default storage class; safe to run again on the same cluster.
func prepare(ctx context.Context, client kubernetes.Interface) error {
	for index := range nodeCount {
		if _, err := client.CoreV1().Nodes().Create(ctx, newNode(index), metav1.CreateOptions{}); !done(err) {
			return err
		}
	}
	_, err := client.StorageV1().StorageClasses().Create(ctx, newStorageClass(), metav1.CreateOptions{})
	if !done(err) {
		return err
	}
	return nil
}

func done(err error) bool { return err == nil || apierrors.IsAlreadyExists(err) }

func newNode(index int) *corev1.Node {
	name := fmt.Sprintf("node-%d", index)
	size := corev1.ResourceList{
		corev1.ResourceCPU:              resource.MustParse("64"),
		corev1.ResourceMemory:           resource.MustParse("256Gi"),
		corev1.ResourceEphemeralStorage: resource.MustParse("1Ti"),
		corev1.ResourcePods:             resource.MustParse("10000"),
	}
	return &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{
			Name: name,
			Labels: map[string]string{
				corev1.LabelHostname:     name,
				corev1.LabelOSStable:     "linux",
				corev1.LabelArchStable:   "amd64",
				corev1.LabelTopologyZone: fmt.Sprintf("zone-%d", index),
			},
		},
		Status: corev1.NodeStatus{Capacity: size, Allocatable: size},
	}
}

func newStorageClass() *storagev1.StorageClass {
	return &storagev1.StorageClass{
		ObjectMeta: metav1.ObjectMeta{
			Name:        "standard",
			Annotations: map[string]string{"storageclass.kubernetes.io/is-default-class": "true"},
		},
		Provisioner: provisioner,
	}
}
