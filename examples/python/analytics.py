import requests
response = requests.get("http://localhost:8003/red-team/summary"); summary = response.json()
print(f"Total tests: {summary['total_tests']}"); print(f"Average detection rate: {summary['average_detection_rate']:.2%}")
print(f"Best performing model: {max(summary['model_performance'].items(), key=lambda x: x[1]['detection_rate'])[0]}")
