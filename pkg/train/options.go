package train

import corev1 "k8s.io/api/core/v1"

// DefaultImage trains, judges and serves: it is the chart's image, which a node that serves has already.
const DefaultImage = "vllm/vllm-openai:v0.32.0"

// Platforms as the chart's value `platform` has them.
const (
	GKEAutopilot = "gke-autopilot"
	GKEStandard  = "gke-standard"
	NVIDIANodes  = "nvidia" // labelled by GPU feature discovery, as the GPU operator does
	EKSNodes     = "eks"
	CustomNodes  = "custom"
)

// Engines that run the training.
const (
	EngineJob      = "job"
	EngineTrainJob = "trainjob"
)

// Options are where and how a run's pods run: what is true of the cluster and not of the training.
// The zero value of each field but Namespace has a meaning, which Objects fills in. As JSON, without the user's
// files, they are kept in the record.
type Options struct {
	Namespace string `json:"namespace,omitempty"`
	// Group is the label that models trained together share; none when empty.
	Group string `json:"group,omitempty"`

	// Image is DefaultImage when empty.
	Image            string            `json:"image,omitempty"`
	ImagePullPolicy  corev1.PullPolicy `json:"imagePullPolicy,omitempty"`
	ImagePullSecrets []string          `json:"imagePullSecrets,omitempty"`

	// Platform is one of GKEAutopilot (when empty), GKEStandard, NVIDIANodes, EKSNodes and CustomNodes, which chooses no
	// nodes.
	Platform string `json:"platform,omitempty"`
	// Accelerator is GKE's name of the GPU, nvidia-l4 when empty. CustomNodes does not read it.
	Accelerator string `json:"accelerator,omitempty"`
	// DriverVersion is GKE's gke-gpu-driver-version: nil for the platform's own choice, "" for none.
	DriverVersion *string `json:"driverVersion,omitempty"`
	// GPUResource is nvidia.com/gpu when empty.
	GPUResource string `json:"gpuResource,omitempty"`
	// Spot asks for nodes that may be taken away; outside GKE NodeSelector must say which.
	Spot bool `json:"spot,omitempty"`
	// NodeSelector is of the training pods; its topology labels hold for every pod, because the
	// volume comes into being where the first of them runs.
	NodeSelector map[string]string `json:"nodeSelector,omitempty"`
	// Tolerations are of every pod, beside the GPU's, which only the training pods have.
	Tolerations   []corev1.Toleration `json:"tolerations,omitempty"`
	PriorityClass string              `json:"priorityClass,omitempty"`
	// Queue is a Kueue LocalQueue; none when empty.
	Queue string `json:"queue,omitempty"`

	// Engine is EngineJob when empty.
	Engine string `json:"engine,omitempty"`
	// Nodes share the GPUs of the run; 1 when 0, and only EngineTrainJob takes more.
	Nodes int `json:"nodes,omitempty"`
	// Runtime is the ClusterTrainingRuntime of a TrainJob, torch-distributed when empty.
	Runtime string `json:"runtime,omitempty"`

	// WeightsGiB are the model's weights on the Hub, from which memory and volume sizes follow;
	// 0 takes them from ShapeOf.
	WeightsGiB float64 `json:"weightsGiB,omitempty"`
	// CPU and Memory are requests of the training pod as quantities, derived when empty.
	CPU    string `json:"cpu,omitempty"`
	Memory string `json:"memory,omitempty"`

	// StorageClass is the cluster's default when empty.
	StorageClass string `json:"storageClass,omitempty"`
	// VolumeSize is a quantity, derived from WeightsGiB when empty.
	VolumeSize string `json:"volumeSize,omitempty"`
	// AccessMode is ReadWriteOnce when empty; several nodes need ReadWriteMany.
	AccessMode corev1.PersistentVolumeAccessMode `json:"accessMode,omitempty"`
	// ExistingClaim takes the place of a claim of the run's own.
	ExistingClaim string `json:"existingClaim,omitempty"`

	// ServiceAccount takes the place of one of the run's own; it is bound to the run's Role.
	ServiceAccount string `json:"serviceAccount,omitempty"`
	// HFSecret holds a Hugging Face token, which only preparation and publishing see.
	HFSecret SecretKey `json:"hfSecret,omitzero"`
	// WandBSecret holds the key of Weights & Biases, which only the training sees.
	WandBSecret SecretKey `json:"wandbSecret,omitzero"`
	// EnvFrom are sources of variables for the preparation and the training, such as a proxy's.
	EnvFrom []corev1.EnvFromSource `json:"envFrom,omitempty"`
	// HubEndpoint is another Hub (HF_ENDPOINT).
	HubEndpoint string `json:"hubEndpoint,omitempty"`
	// PackageIndex is another index of Python packages (PIP_INDEX_URL), without credentials.
	PackageIndex string `json:"packageIndex,omitempty"`

	// LocalData is a .tar.gz of the user's own files, at most MaxLocalData bytes, which travels as a
	// ConfigMap and takes the place of the specification's data.uri.
	LocalData []byte `json:"-"`
	// DataClaim is pvc://CLAIM/PATH, mounted read-only; it takes the place of data.uri too.
	DataClaim string `json:"dataClaim,omitempty"`

	// TTLSeconds after their end the Jobs are deleted; nil keeps them.
	TTLSeconds *int32 `json:"ttlSeconds,omitempty"`
	// ActiveDeadlineSeconds is the longest that the training may run over all its attempts; nil is for ever.
	ActiveDeadlineSeconds *int64 `json:"activeDeadlineSeconds,omitempty"`
	// BackoffLimit is how many failures are tried again, 3 when nil; an interruption is none.
	BackoffLimit *int32 `json:"backoffLimit,omitempty"`
	// GracePeriodSeconds between SIGTERM and SIGKILL of the training; what the nodes give when 0.
	GracePeriodSeconds int64 `json:"gracePeriodSeconds,omitempty"`
}

// SecretKey is one key of a Secret that exists already. No Name is no Secret.
type SecretKey struct {
	Name string `json:"name,omitempty"`
	Key  string `json:"key,omitempty"`
	// Optional lets the pod start without it.
	Optional bool `json:"optional,omitempty"`
}

// withDefaults fills in what Options says of its zero values.
func (o Options) withDefaults() Options {
	setDefault(&o.Image, DefaultImage)
	setDefault(&o.Platform, GKEAutopilot)
	setDefault(&o.Accelerator, "nvidia-l4")
	setDefault(&o.GPUResource, "nvidia.com/gpu")
	setDefault(&o.Engine, EngineJob)
	setDefault(&o.Runtime, "torch-distributed")
	setDefault(&o.AccessMode, corev1.ReadWriteOnce)
	setDefault(&o.ImagePullPolicy, corev1.PullIfNotPresent)
	setDefault(&o.Nodes, 1)
	if o.BackoffLimit == nil {
		o.BackoffLimit = new(int32(3))
	}
	return o
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}
