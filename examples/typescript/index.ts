// A class and a server that uses it, in the cluster of the kubeconfig.
// A destroy comes after `pulumi state unprotect --all`.
import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import * as storageLab from "@pulumi/storage-lab";

const config = new pulumi.Config();
const cluster = new kubernetes.Provider("cluster", { kubeconfig: config.requireSecret("kubeconfig") });
const storage = new storageLab.EbsStorageClass("shared", {}, { providers: [cluster] });
const server = new storageLab.NfsServer(
    "files",
    {
        storage: "5Gi",
        storageClass: storage.className,
        tolerations: [{ key: "storage", operator: "Exists", effect: "NoSchedule" }],
    },
    { providers: [cluster], dependsOn: [storage] },
);

export const volumeId: pulumi.Output<string> = server.volumeId;
